// What an access log says, counted the plain way and in memory: the yardstick of the import's e2e spec.
// Shares no code with the product. Its definitions are those that `tidemark import access-log --help` and
// docs/reference/metrics.md state: a pageview, 30-minute visits, one visitor per address, agent and UTC day.
import { isbot } from 'isbot';

export interface LogCounts {
  readonly lines: number;
  readonly pageviews: number;
  /** UTC, ascending. */
  readonly days: readonly string[];
  /** visitors, visits, pageviews, views_per_visit, bounce_rate, visit_duration, events. */
  readonly totals: readonly number[];
  /** Day, visitors, visits active on it, pageviews. */
  readonly byDay: readonly (readonly (string | number)[])[];
  /** Pageviews, visitors. */
  readonly pages: ReadonlyMap<string, readonly number[]>;
  /** Visits, bounce rate. */
  readonly entryPages: ReadonlyMap<string, readonly number[]>;
  readonly exitPages: ReadonlyMap<string, readonly number[]>;
  /** Visits, visitors. */
  readonly referrers: ReadonlyMap<string, readonly number[]>;
}

interface View {
  readonly at: number;
  readonly day: string;
  readonly person: string;
  readonly page: string;
  readonly referrer: string;
}

// The last quote may be missing: a line can be cut off.
const LINE =
  /^(\S+) .*?\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})\] "GET ((?:[^"\\]|\\.)*?)(?: HTTP\/[\d.]+)?" (200|20[1-6]|304) \S+(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*))?/;
const NO_PAGE =
  /\.(css|m?js|json|map|xml|xslt?|rss|atom|rdf|txt|pdf|png|jpe?g|gif|svg|ico|webp|bmp|woff2?|ttf|otf|eot|mp[34]|webm|og[ga]|wav|swf|flv|zip|t?gz|bz2|xz|7z|rar|tar|jar|exe|dmg|iso|deb|rpm|gem|docx?|ppt|csv|ps|eps|bin|torrent)$|\/(feed|rss2?|atom|rdf)\/?$|\/\.\w/i;
const FEED = /[?&]\w+=(rss|atom|rdf)[\d.]*(&|$)/i;
const PAUSE_MS = 30 * 60_000;

export function countAccessLog(text: string, { domain, bots }: { domain: string; bots: boolean }): LogCounts {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const views = orderedInSeconds(lines.flatMap((line) => viewOf(line, { domain, bots })));
  const visits = visitsOf(views);
  const days = [...new Set(views.map(({ day }) => day))].sort();
  return {
    lines: lines.length,
    pageviews: views.length,
    days,
    totals: totals(views, visits),
    byDay: days.map((day) => [
      day,
      people(views.filter((view) => view.day === day)),
      visits.filter((visit) => visit.some((view) => view.day === day)).length,
      views.filter((view) => view.day === day).length,
    ]),
    pages: grouped(
      views,
      ({ page }) => page,
      (some) => [some.length, people(some)],
    ),
    entryPages: grouped(
      visits,
      (visit) => visit[0]!.page,
      (some) => [some.length, bounceRate(some)],
    ),
    exitPages: grouped(
      visits,
      (visit) => visit.at(-1)!.page,
      (some) => [some.length],
    ),
    referrers: grouped(
      visits,
      (visit) => visit[0]!.referrer,
      (some) => [some.length, people(some.flat())],
    ),
  };
}

function viewOf(line: string, { domain, bots }: { domain: string; bots: boolean }): View[] {
  const match = LINE.exec(line);
  if (match === null) return [];
  const [, host, date, month, year, time, zone, target = '', , referrer = '-', agent = '-'] = match;
  const path = target.split(/[?#]/)[0]!;
  if (!path.startsWith('/') || NO_PAGE.test(path) || FEED.test(target)) return [];
  if (!bots && agent !== '-' && isbot(agent.slice(0, 512))) return [];
  const at = Date.parse(`${date} ${month} ${year} ${time} ${zone}`);
  return [
    {
      at,
      day: new Date(at).toISOString().slice(0, 10),
      person: `${host} ${agent}`,
      page: new URL(`http://x${path.replaceAll(' ', '%20')}`).pathname,
      referrer: shownReferrer(referrer, domain),
    },
  ];
}

function shownReferrer(referrer: string, domain: string): string {
  const none = 'Direct / None';
  if (!/^https?:\/\//i.test(referrer)) return none;
  // \xe4 stands for a byte.
  const escaped = referrer.replace(/\\x(..)/g, (_, hex: string) => `%${hex}`);
  if (!URL.canParse(escaped)) return none;
  const { hostname, pathname } = new URL(escaped);
  const host = hostname.replace(/^www\./, '');
  if (host === domain) return none;
  return pathname === '/' ? host : host + pathname;
}

/** A log knows seconds; the views that one person has in one of them are a millisecond apart. */
function orderedInSeconds(views: readonly View[]): View[] {
  const seen = new Map<string, number>();
  return views.map((view) => {
    const second = `${view.person} ${view.at}`;
    const before = seen.get(second) ?? 0;
    seen.set(second, before + 1);
    return { ...view, at: view.at + before };
  });
}

function visitsOf(views: readonly View[]): View[][] {
  return [...by(views, ({ person }) => person).values()].flatMap((ofPerson) => {
    const visits: View[][] = [];
    for (const view of ofPerson.sort((a, b) => a.at - b.at)) {
      const visit = visits.at(-1);
      if (visit && view.at - visit.at(-1)!.at <= PAUSE_MS) visit.push(view);
      else visits.push([view]);
    }
    return visits;
  });
}

function totals(views: readonly View[], visits: readonly View[][]): number[] {
  const durationMs = visits.reduce((sum, visit) => sum + visit.at(-1)!.at - visit[0]!.at, 0);
  return [
    people(views),
    visits.length,
    views.length,
    halfToEven((views.length * 100) / visits.length) / 100,
    bounceRate(visits),
    halfToEven(durationMs / (visits.length * 1000)),
    views.length,
  ];
}

/** Visitors live for a day. */
const people = (views: readonly View[]): number =>
  new Set(views.map(({ person, day }) => `${day} ${person}`)).size;

const bounceRate = (visits: readonly View[][]): number =>
  halfToEven((visits.filter(({ length }) => length === 1).length * 100) / visits.length);

function by<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group) group.push(item);
    else groups.set(nameOf(item), [item]);
  }
  return groups;
}

function grouped<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  count: (items: readonly T[]) => number[],
): Map<string, number[]> {
  return new Map([...by(items, nameOf)].map(([name, some]) => [name, count(some)]));
}

function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
