// What a query must answer, computed from the sessions themselves by the plainest means: every
// bucket is looked at as a range of its own, local time is what Intl says, nothing is shared with
// the code under test. Slow on purpose.
import { naiveMedium, naiveSourceMedium } from './naive-medium.js';
import {
  type GivenEvent,
  type GivenSession,
  hasBounced,
  hostnameOf,
  isCounted,
  isPageview,
  pageOf,
} from './read-model-rows.js';

export interface NaiveQuery {
  readonly site: string;
  readonly zone: string;
  /** Epoch milliseconds, `to` excluded. */
  readonly from: number;
  readonly to: number;
  readonly metrics: readonly string[];
  readonly dimensions?: readonly string[];
  readonly bots?: boolean;
  /** Over the values of one event in one session, by dimension. */
  readonly where?: (value: (dimension: string) => string) => boolean;
  /** `where` looks at the event: only sessions with a matching event count. */
  readonly filtersEvents?: boolean;
  /** `where` looks at event:page: bounces are those of sessions that entered there. */
  readonly filtersPage?: boolean;
}

export interface NaiveRow {
  readonly dimensions: readonly string[];
  readonly metrics: readonly number[];
}

interface Hit {
  readonly session: GivenSession;
  readonly event: GivenEvent;
}

const QUARTER_MS = 900_000;

/** In no particular order. */
export function naiveReport(sessions: readonly GivenSession[], query: NaiveQuery): readonly NaiveRow[] {
  const { dimensions = [], site, bots = false } = query;
  const mine = sessions.filter((session) => session.site === site && (bots || !session.bot));
  const time = dimensions.find((name) => name.startsWith('time:'));
  const values = dimensions.filter((name) => name !== time);
  const buckets =
    time === undefined ? [{ label: '', from: query.from, to: query.to }] : bucketsOf(query, time);
  return buckets.flatMap((bucket) =>
    rowsOf(mine, { ...query, from: bucket.from, to: bucket.to }, values)
      .filter(({ dimensions: found, visits }) => visits > 0 || (found.length === 0 && time === undefined))
      .map((row) => {
        const rest = row.dimensions.values();
        return {
          dimensions: dimensions.map((name) => (name === time ? bucket.label : rest.next().value!)),
          metrics: row.metrics,
        };
      }),
  );
}

/** Date and hour on the wall there, as Intl says. */
export function wallClock(at: number, zone: string): string {
  const parts = clockOf(zone).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)!.value;
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:00:00`;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const digits = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit' } as const;
  const clock = new Intl.DateTimeFormat('en-CA', { timeZone: zone, hourCycle: 'h23', ...digits });
  clocks.set(zone, clock);
  return clock;
}

/** The first instant of a local date. */
export function midnight(date: string, zone: string): number {
  const start = Date.parse(`${date}T00:00:00Z`) - 15 * 3_600_000;
  for (let at = start; ; at += QUARTER_MS) if (wallClock(at, zone).slice(0, 10) >= date) return at;
}

function bucketsOf({ from, to, zone }: NaiveQuery, time: string) {
  const buckets = new Map<string, { label: string; from: number; to: number }>();
  const firstDate = wallClock(from, zone).slice(0, 10);
  for (let at = from - (from % QUARTER_MS); at < to; at += QUARTER_MS) {
    const label = labelOf(wallClock(at, zone), time, firstDate);
    const bucket = buckets.get(label) ?? { label, from: Math.max(at, from), to: at };
    buckets.set(label, bucket);
    bucket.to = Math.min(at + QUARTER_MS, to);
  }
  return [...buckets.values()];
}

function labelOf(hour: string, time: string, firstDate: string): string {
  const date = hour.slice(0, 10);
  if (time === 'time:hour') return hour;
  if (time === 'time:day') return date;
  if (time === 'time:month') return `${date.slice(0, 7)}-01`;
  if (time === 'time:year') return `${date.slice(0, 4)}-01-01`;
  const day = new Date(`${date}T00:00:00Z`);
  const monday = new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * 86_400_000)
    .toISOString()
    .slice(0, 10);
  return monday < firstDate ? firstDate : monday;
}

function rowsOf(sessions: readonly GivenSession[], query: NaiveQuery, values: readonly string[]) {
  const { from, to } = query;
  const where = query.where ?? (() => true);
  const looksAtEvents = query.filtersEvents === true || values.some((name) => name.startsWith('event:'));
  const active = sessions.filter((session) => startOf(session) < to && endOf(session) >= from);
  const hits: Hit[] = active.flatMap((session) =>
    session.events
      .filter((event) => isCounted(event) && event.at >= from && event.at < to)
      .map((event) => ({ session, event })),
  );
  const matching = hits.filter(({ session, event }) => where((name) => valueOf(session, event, name)));
  const asEntry = hits.filter(({ session, event }) => where((name) => entryValueOf(session, event, name)));
  const byPage = values.includes('event:page');

  const groups = new Map<string, string[]>();
  const key = (found: readonly string[]) => JSON.stringify(found);
  const seen = (found: string[]) => groups.set(key(found), found);
  const of = (read: typeof valueOf, { session, event }: Hit) =>
    values.map((name) => read(session, event, name));
  const passing = looksAtEvents
    ? []
    : active.filter((session) => where((name) => valueOf(session, session.events[0]!, name)));
  if (values.length === 0) seen([]);
  for (const hit of matching) seen(of(valueOf, hit));
  for (const session of passing) seen(of(valueOf, { session, event: session.events[0]! }));

  return [...groups.values()].map((group) => {
    const own = matching.filter((hit) => key(of(valueOf, hit)) === key(group));
    const entering = asEntry.filter((hit) => key(of(entryValueOf, hit)) === key(group));
    const touched = looksAtEvents
      ? distinct(own)
      : passing.filter((session) => key(of(valueOf, { session, event: session.events[0]! })) === key(group));
    const bounceBase = looksAtEvents && (byPage || query.filtersPage) ? distinct(entering) : touched;
    const durationBase = looksAtEvents && byPage ? distinct(entering) : touched;
    const pageviews = own.filter(({ event }) => isPageview(event)).length;
    const metrics: Record<string, number> = {
      visitors: new Set(own.map(({ session, event }) => event.visitor ?? session.visitor)).size,
      visits: touched.length,
      pageviews,
      events: own.length,
      views_per_visit: touched.length === 0 ? 0 : evenly((pageviews * 100) / touched.length) / 100,
      bounce_rate:
        bounceBase.length === 0
          ? 0
          : evenly((bounceBase.filter(hasBounced).length * 100) / bounceBase.length),
      visit_duration:
        durationBase.length === 0
          ? 0
          : evenly(
              durationBase.reduce((sum, session) => sum + endOf(session) - startOf(session), 0) /
                (1000 * durationBase.length),
            ),
    };
    return {
      dimensions: group,
      visits: touched.length,
      metrics: query.metrics.map((name) => metrics[name]!),
    };
  });
}

const distinct = (hits: readonly Hit[]): readonly GivenSession[] => [
  ...new Set(hits.map(({ session }) => session)),
];
const startOf = ({ events }: GivenSession): number => events.find(isCounted)!.at;
const endOf = ({ events }: GivenSession): number => events.findLast(isCounted)!.at;

/** Rows from before bots had kinds name a device. */
function naiveBotKind({ bot, about }: GivenSession): string {
  if (!bot) return '(not set)';
  const said = about?.device;
  return typeof said !== 'string' || said === 'Desktop' || said === 'Mobile' ? 'Other' : said;
}

function valueOf(session: GivenSession, event: GivenEvent, name: string): string {
  const pageviews = session.events.filter(isPageview);
  switch (name) {
    case 'event:name':
      return event.name ?? 'pageview';
    case 'event:page':
      return pageOf(event) ?? '(not set)';
    case 'event:hostname':
      return hostnameOf(event) ?? entryHostname(session);
    case 'visit:bot':
      return String(session.bot ?? false);
    case 'visit:bot_name':
      return session.bot ? (session.about?.browser ?? '(not set)') : '(not set)';
    case 'visit:bot_kind':
      return naiveBotKind(session);
    case 'visit:entry_page':
      return (pageviews[0] && pageOf(pageviews[0])) ?? '(not set)';
    case 'visit:region_name':
    case 'visit:city_name':
      return valueOf(session, event, name.slice(0, -'_name'.length));
    case 'visit:medium':
      return naiveMedium(session.about ?? {});
    case 'visit:source_medium':
      return naiveSourceMedium(session.about ?? {});
    case 'visit:entry_page_hostname':
      return entryHostname(session);
    case 'visit:exit_page_hostname':
      return (pageviews.length > 0 ? hostnameOf(pageviews.at(-1)!) : null) ?? '(not set)';
    case 'visit:exit_page':
      return (pageviews.length > 0 ? pageOf(pageviews.at(-1)!) : null) ?? '(not set)';
    default: {
      const direct = {
        'visit:source': 'Direct / None',
        'visit:referrer': 'Direct / None',
        'visit:channel': 'Direct',
      };
      const missing = Object.entries(direct).find(([dimension]) => dimension === name)?.[1] ?? '(not set)';
      return session.about?.[name.slice('visit:'.length)] ?? missing;
    }
  }
}

function entryValueOf(session: GivenSession, event: GivenEvent, name: string): string {
  if (name === 'event:page') return valueOf(session, event, 'visit:entry_page');
  return name === 'event:hostname' ? entryHostname(session) : valueOf(session, event, name);
}

function entryHostname(session: GivenSession): string {
  const first = session.events.find(isPageview);
  return (first && hostnameOf(first)) ?? '(not set)';
}

function evenly(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
