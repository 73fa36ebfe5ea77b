// What comparing two versions of the read models must find, counted from the events by the plainest
// means, given what each version took for a bot and which sessions it should see otherwise.
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { type NaiveSession, naiveSessions, naiveTraffic } from './naive-fold.js';
import { wallClock } from './naive-report.js';
import { BOT_AGENT } from './traffic.js';

export interface NaiveVersion {
  readonly seesBots: boolean;
}

export interface NaiveDifference {
  readonly site: string;
  readonly date: string;
  readonly metric: string;
  readonly a: number;
  readonly b: number;
  readonly difference: number;
}

export interface NaiveComparison {
  readonly totals: readonly Omit<NaiveDifference, 'site' | 'date'>[];
  /** In the order of the answer. */
  readonly differences: readonly NaiveDifference[];
}

export interface Planted {
  readonly a: NaiveVersion;
  readonly b: NaiveVersion;
  /** Whether a session's row is another one in b. */
  readonly changes: (session: NaiveSession) => boolean;
}

const isBot = ({ seesBots }: NaiveVersion, userAgent: string | null): boolean =>
  seesBots && userAgent === BOT_AGENT;

export function naiveSessionComparison(
  log: readonly TrackedEvent[],
  { a, b, changes }: Planted,
  zoneOf: (site: string) => string,
): NaiveComparison {
  const sessions = naiveSessions(log);
  const placeOf = ({ site, startedAt }: NaiveSession) =>
    `${site}/${wallClock(startedAt, zoneOf(site)).slice(0, 10)}`;
  const compare = (own: readonly NaiveSession[]) => [
    ...pairsOf(sessionMetrics(own, a), sessionMetrics(own, b)),
    pair('sessions_changed', 0, own.filter(changes).length),
  ];
  return { totals: compare(sessions), differences: differencesOf(grouped(sessions, placeOf), compare) };
}

export function naiveTrafficComparison(log: readonly TrackedEvent[], { a, b }: Planted): NaiveComparison {
  const rows = ([a, b] as const).map((version) => naiveTraffic(log, (agent) => isBot(version, agent)));
  const tagged = rows.flatMap((own, side) => own.map((row) => ({ side, row })));
  const compare = (own: typeof tagged) => {
    const [inA, inB] = [0, 1].map((side) => own.filter((one) => one.side === side).map(({ row }) => row));
    return [
      ...pairsOf(trafficMetrics(inA!), trafficMetrics(inB!)),
      pair('rows_changed', 0, changedRows(inA!, inB!)),
    ];
  };
  const placeOf = ({ row }: (typeof tagged)[number]) =>
    `${row.site}/${new Date(row.hour).toISOString().slice(0, 10)}`;
  return { totals: compare(tagged), differences: differencesOf(grouped(tagged, placeOf), compare) };
}

type Metrics = Readonly<Record<string, number>>;
type Pair = Omit<NaiveDifference, 'site' | 'date'>;

function sessionMetrics(sessions: readonly NaiveSession[], version: NaiveVersion): Metrics {
  const bots = sessions.filter(({ userAgent }) => isBot(version, userAgent));
  const people = sessions.filter((session) => !bots.includes(session));
  const sum = (some: readonly NaiveSession[], of: (session: NaiveSession) => number) =>
    some.reduce((total, session) => total + of(session), 0);
  const visitors = people.flatMap(({ site, all }) =>
    all.filter(({ name }) => name !== 'engagement').map(({ visitor }) => `${site}/${visitor}`),
  );
  return {
    visitors: new Set(visitors).size,
    visits: people.length,
    pageviews: sum(people, ({ pageviews }) => pageviews),
    events: sum(people, ({ events }) => events),
    bounces: people.filter(({ bounced }) => bounced).length,
    visit_duration_s: sum(people, ({ startedAt, endedAt }) => endedAt - startedAt) / 1000,
    bot_visits: bots.length,
    bot_pageviews: sum(bots, ({ pageviews }) => pageviews),
    bot_events: sum(bots, ({ events }) => events),
  };
}

const TRAFFIC_SUMS = {
  pageviews: 'pageviews',
  events: 'events',
  sessions_started: 'sessionsStarted',
  sessions_active: 'sessionsActive',
  bounces_started: 'bouncesStarted',
  bounces_active: 'bouncesActive',
  duration_started_ms: 'durationStartedMs',
  duration_active_ms: 'durationActiveMs',
} as const;

type TrafficRow = ReturnType<typeof naiveTraffic>[number];

function trafficMetrics(rows: readonly TrafficRow[]): Metrics {
  const sums = (bot: boolean) =>
    Object.entries(TRAFFIC_SUMS).map(([name, field]) => [
      bot ? `bot_${name}` : name,
      rows.filter((row) => row.bot === bot).reduce((total, row) => total + row[field], 0),
    ]);
  return Object.fromEntries([...sums(false), ...sums(true)]);
}

function changedRows(a: readonly TrafficRow[], b: readonly TrafficRow[]): number {
  const keyOf = ({ site, hour, bot }: TrafficRow) => `${site}/${hour}/${bot}`;
  const keys = new Set([...a, ...b].map(keyOf));
  const content = (rows: readonly TrafficRow[], key: string) =>
    JSON.stringify(rows.find((row) => keyOf(row) === key));
  return [...keys].filter((key) => content(a, key) !== content(b, key)).length;
}

const pair = (metric: string, a: number, b: number): Pair => ({
  metric,
  a,
  b,
  difference: metric === 'visit_duration_s' ? Math.round((b - a) * 1000) / 1000 : b - a,
});

const pairsOf = (a: Metrics, b: Metrics): Pair[] =>
  Object.keys(a).map((metric) => pair(metric, a[metric]!, b[metric]!));

function grouped<T>(items: readonly T[], placeOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(placeOf(item), [...(groups.get(placeOf(item)) ?? []), item]);
  return groups;
}

function differencesOf<T>(
  groups: ReadonlyMap<string, T[]>,
  compare: (items: T[]) => readonly Pair[],
): readonly NaiveDifference[] {
  const found = [...groups].flatMap(([place, items]) => {
    const [site, date] = place.split('/') as [string, string];
    return compare(items).map((one) => ({ site, date, ...one }));
  });
  return found
    .filter(({ difference }) => difference !== 0)
    .sort(
      (x, y) =>
        Math.abs(y.difference) - Math.abs(x.difference) ||
        byText(x.site, y.site) ||
        byText(x.date, y.date) ||
        byText(x.metric, y.metric),
    );
}

const byText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
