// Retention over random sessions, against a plain count by the calendar that Intl shows.
import fc from 'fast-check';
import { type AskedSite, askReport } from '../../../../test/asking-report.js';
import { wallClock } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  createReadModels,
  type GivenEvent,
  type GivenSession,
  insertSessions,
  isCounted,
  isPageview,
  pageOf,
} from '../../../../test/read-model-rows.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { Problem } from '../../../http/problem.js';
import type { Goal } from '../vocabulary/goal.js';
import { retention } from './retention.js';

const SITE = 'site-a';
/** Summer time ends within it in Berlin, and begins in Lord Howe, by half an hour. */
const FROM = Date.parse('2026-09-28T00:00:00Z');
const TO = Date.parse('2026-11-20T00:00:00Z');
const GOALS: readonly Goal[] = [
  { id: 'g1', name: 'Joined', match: { kind: 'event', name: 'signup', props: {} }, currency: null },
];

let postgres: MigratedPostgres;
let asked: Omit<AskedSite, 'zone'>;
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModels(postgres.pool);
  asked = { pool: postgres.pool, site: SITE, goals: GOALS };
  sessions = [
    ...randomSessions({ seed: 41, site: SITE, count: 700, from: FROM, to: TO }),
    ...randomSessions({ seed: 42, site: 'site-b', count: 60, from: FROM, to: TO }),
  ];
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

type Matches = (event: GivenEvent) => boolean;
const STEPS: readonly { readonly wire: object | undefined; readonly naive: Matches }[] = [
  { wire: undefined, naive: isCounted },
  // Twice: when both steps are any event, sessions are not taken apart.
  { wire: undefined, naive: isCounted },
  { wire: { goal: 'Joined' }, naive: ({ name }) => name === 'signup' },
  { wire: { eventName: 'pageview' }, naive: isPageview },
  { wire: { pagePath: '/b*' }, naive: (one) => isPageview(one) && (pageOf(one) ?? '').startsWith('/b') },
  { wire: { eventName: 'engagement' }, naive: () => false },
];
const FILTERS: readonly {
  readonly wire: readonly unknown[];
  readonly naive: (one: GivenSession) => boolean;
}[] = [
  { wire: ['is', 'visit:os', ['Linux']], naive: ({ about }) => about?.os === 'Linux' },
  { wire: ['is_not', 'visit:country', ['DE']], naive: ({ about }) => about?.country !== 'DE' },
];
const GRANULARITIES = ['day', 'week', 'month'] as const;
const ZONES = ['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/New_York'];

interface NaiveRetention {
  readonly zone: string;
  /** Two dates, both included. */
  readonly dates: readonly [string, string];
  readonly granularity: (typeof GRANULARITIES)[number];
  readonly start: Matches;
  readonly back: Matches;
  readonly passes: (session: GivenSession) => boolean;
  readonly bots: boolean;
}

const dateAfter = (date: string, days: number) =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

function periodOf(date: string, granularity: NaiveRetention['granularity']): string {
  if (granularity === 'day') return date;
  if (granularity === 'month') return date.slice(0, 7);
  return dateAfter(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7));
}

function naiveRetention({ zone, dates, granularity, start, back, passes, bots }: NaiveRetention) {
  const periods: string[] = [];
  const labels: string[] = [];
  for (let date = dates[0]; date <= dates[1]; date = dateAfter(date, 1)) {
    const period = periodOf(date, granularity);
    if (periods.at(-1) === period) continue;
    periods.push(period);
    if (granularity === 'month') labels.push(`${period}-01`);
    else labels.push(period < dates[0] ? dates[0] : period);
  }
  const visitors = new Map<bigint, { at: number; period: number; event: GivenEvent }[]>();
  for (const session of sessions) {
    if (session.site !== SITE || (!bots && session.bot === true) || !passes(session)) continue;
    for (const event of session.events) {
      const date = wallClock(event.at, zone).slice(0, 10);
      if (!isCounted(event) || date < dates[0] || date > dates[1]) continue;
      const visitor = event.visitor ?? session.visitor;
      const period = periods.indexOf(periodOf(date, granularity));
      visitors.set(visitor, [...(visitors.get(visitor) ?? []), { at: event.at, period, event }]);
    }
  }
  const cohorts = periods.map((_, index) => ({
    visitors: 0,
    back: new Array<number>(periods.length - index).fill(0),
  }));
  for (const events of visitors.values()) {
    const starts = events.filter(({ event }) => start(event)).toSorted((a, b) => a.at - b.at);
    const first = starts[0];
    if (first === undefined) continue;
    const cohort = cohorts[first.period]!;
    cohort.visitors++;
    for (const [after] of cohort.back.entries()) {
      const came = events.some(
        ({ at, period, event }) => at >= first.at && period === first.period + after && back(event),
      );
      if (came) cohort.back[after]!++;
    }
  }
  const total = (of: typeof cohorts, period: number) => ({
    period,
    visitors: of.reduce((sum, { back }) => sum + back[period]!, 0),
    percentage: percent(
      of.reduce((sum, { back }) => sum + back[period]!, 0),
      of.reduce((sum, { visitors }) => sum + visitors, 0),
    ),
  });
  return {
    cohorts: cohorts.map((cohort, index) => ({
      cohort: labels[index],
      visitors: cohort.visitors,
      periods: cohort.back.map((_, period) => total([cohort], period)),
    })),
    totals: periods.map((_, period) =>
      total(
        cohorts.filter(({ back }) => period < back.length),
        period,
      ),
    ),
  };
}

/** With whole numbers, so that ties are ties. */
function percent(part: number, whole: number): number {
  if (whole === 0) return 0;
  const below = Math.floor((part * 10_000) / whole);
  const rest = 2 * (part * 10_000 - below * whole) - whole;
  return (rest > 0 || (rest === 0 && below % 2 === 1) ? below + 1 : below) / 100;
}

it('agrees with a plain count, whatever the zone, days, granularity, steps, filter and bots', async () => {
  let returned = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        zone: fc.constantFrom(...ZONES),
        first: fc.integer({ min: 0, max: 40 }),
        days: fc.integer({ min: 0, max: 12 }),
        granularity: fc.constantFrom(...GRANULARITIES),
        start: fc.constantFrom(...STEPS),
        back: fc.constantFrom(...STEPS),
        filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined }),
        bots: fc.boolean(),
      }),
      async ({ zone, first, days, granularity, start, back, filter, bots }) => {
        const from = dateAfter('2026-09-28', first);
        const length = granularity === 'day' ? days : days * 4;
        const dates = [from, dateAfter(from, length)] as const;
        const { results, echo } = await askReport(
          retention,
          { ...asked, zone },
          {
            date_range: dates,
            granularity,
            ...(start.wire && { start: start.wire }),
            ...(back.wire && { return: back.wire }),
            ...(filter && { filters: [filter.wire] }),
            include: { bots },
          },
        );
        const passes = filter?.naive ?? (() => true);
        const expected = naiveRetention({
          zone,
          dates,
          granularity,
          start: start.naive,
          back: back.naive,
          passes,
          bots,
        });
        expect(results).toEqual(expected);
        expect((await askReport(retention, { ...asked, zone }, echo)).results).toEqual(results);
        returned += expected.totals.slice(1).reduce((sum, { visitors }) => sum + visitors, 0);
      },
    ),
    { numRuns: 120 },
  );
  expect(returned).toBeGreaterThan(100);
});

it('takes weeks, any event and any return when nothing is said', async () => {
  const body = { date_range: ['2026-10-05', '2026-11-01'] };
  const { results, echo } = await askReport(retention, { ...asked, zone: 'UTC' }, body);
  const all = { start: isCounted, back: isCounted, passes: () => true, bots: false };
  expect(results).toEqual(
    naiveRetention({ ...all, zone: 'UTC', dates: ['2026-10-05', '2026-11-01'], granularity: 'week' }),
  );
  expect(echo.granularity).toBe('week');
});

it('filters on events by visits that have one in the range', async () => {
  const zone = 'UTC';
  const dates = ['2026-10-05', '2026-11-01'] as const;
  const { results } = await askReport(
    retention,
    { ...asked, zone },
    { date_range: dates, filters: [['is', 'event:page', ['/pricing']]] },
  );
  const passes = ({ events }: GivenSession) =>
    events.some(
      (one) =>
        isCounted(one) &&
        pageOf(one) === '/pricing' &&
        one.at >= Date.parse('2026-10-05T00:00:00Z') &&
        one.at < Date.parse('2026-11-02T00:00:00Z'),
    );
  const all = { start: isCounted, back: isCounted, bots: false, granularity: 'week' } as const;
  expect(results).toEqual(naiveRetention({ ...all, passes, zone, dates }));
});

it.each<[string, object, number, string]>([
  ['a goal that the site has not', { return: { goal: 'Order' } }, 400, 'return.goal'],
  ['an empty step', { start: {} }, 400, 'start'],
  ['hours', { granularity: 'hour' }, 400, 'granularity'],
  ['two hundred days', { granularity: 'day', date_range: '200d' }, 422, 'date_range'],
])('refuses %s, naming the path', async (_, body, status, path) => {
  const asking = askReport(retention, { ...asked, zone: 'UTC' }, { date_range: '28d', ...body });
  const refusal = await asking.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Problem);
  expect((refusal as Problem).options).toMatchObject({ status, errors: [{ path }] });
});
