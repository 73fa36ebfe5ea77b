// Retention over random sessions, against a plain count by the calendar that Intl shows.
import fc from 'fast-check';
import { type AskedSite, askReport } from '../../../../test/asking-report.js';
import { wallClock } from '../../../../test/naive-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  startReadModels,
  type GivenEvent,
  type GivenSession,
  insertSessions,
  isCounted,
  isPageview,
  pageOf,
} from '../../../../test/read-model-rows.js';
import type { MigratedPostgres } from '../../../../test/servers/postgres.js';
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
  postgres = await startReadModels();
  asked = { pool: postgres.pool, site: SITE, goals: GOALS };
  sessions = [
    ...randomSessions({ seed: 41, site: SITE, count: 700, from: FROM, to: TO }),
    ...randomSessions({ seed: 42, site: 'site-b', count: 60, from: FROM, to: TO }),
  ];
  await insertSessions(postgres.pool, [...sessions, ...READERS]);
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
];
const FILTERS: readonly {
  readonly wire: readonly unknown[];
  readonly naive: (one: GivenSession) => boolean;
}[] = [
  { wire: ['is', 'visit:os', ['Linux']], naive: ({ about }) => about?.os === 'Linux' },
  { wire: ['is_not', 'visit:country', ['DE']], naive: ({ about }) => about?.country !== 'DE' },
];
const GRANULARITIES = ['day', 'week', 'month'] as const;
/** How many days before a Monday the week begins. */
const WEEK_STARTS = { monday: 0, sunday: 1 } as const;
type WeekStart = keyof typeof WEEK_STARTS;
const ZONES = ['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/New_York'];

/** Two visitors of one page, who read more of it, and less, a week later. */
const READERS: readonly GivenSession[] = [
  [1n, 0, 80],
  [1n, 7, 20],
  [2n, 0, 40],
  [2n, 7, 90],
].map(([visitor, days, scrollDepth]) => {
  const at = Date.parse('2026-10-05T10:00:00Z') + Number(days) * 86_400_000;
  return {
    site: 'site-c',
    visitor: BigInt(visitor!),
    events: [
      { at, page: '/long' },
      { at: at + 1_000, page: '/long', name: 'engagement', scrollDepth: Number(scrollDepth) },
    ],
  };
});

interface NaiveRetention {
  readonly zone: string;
  /** Two dates, both included. */
  readonly dates: readonly [string, string];
  readonly granularity: (typeof GRANULARITIES)[number];
  readonly weekStart: WeekStart;
  readonly start: Matches;
  readonly back: Matches;
  readonly passes: (session: GivenSession) => boolean;
  readonly bots: boolean;
}

const dateAfter = (date: string, days: number) =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);

function periodOf(date: string, { granularity, weekStart }: NaiveRetention): string {
  if (granularity === 'day') return date;
  if (granularity === 'month') return date.slice(0, 7);
  const sinceMonday = new Date(`${date}T00:00:00Z`).getUTCDay() + 6;
  return dateAfter(date, -((sinceMonday + WEEK_STARTS[weekStart]) % 7));
}

function naiveRetention(question: NaiveRetention) {
  const { zone, dates, granularity, start, back, passes, bots } = question;
  const periods: string[] = [];
  const labels: string[] = [];
  for (let date = dates[0]; date <= dates[1]; date = dateAfter(date, 1)) {
    const period = periodOf(date, question);
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
      if (date < dates[0] || date > dates[1]) continue;
      const visitor = event.visitor ?? session.visitor;
      const period = periods.indexOf(periodOf(date, question));
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
        weekStart: fc.constantFrom<WeekStart>('monday', 'sunday'),
        start: fc.constantFrom(...STEPS),
        back: fc.constantFrom(...STEPS),
        filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined }),
        bots: fc.boolean(),
      }),
      async ({ zone, first, days, granularity, weekStart, start, back, filter, bots }) => {
        const from = dateAfter('2026-09-28', first);
        const length = granularity === 'day' ? days : days * 4;
        const dates = [from, dateAfter(from, length)] as const;
        const { results, echo } = await askReport(
          retention,
          { ...asked, zone },
          {
            date_range: dates,
            granularity,
            week_start: weekStart,
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
          weekStart,
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
  const all = { start: isCounted, back: isCounted, passes: () => true, bots: false } as const;
  const weeks = { granularity: 'week', weekStart: 'monday' } as const;
  expect(results).toEqual(
    naiveRetention({ ...all, ...weeks, zone: 'UTC', dates: ['2026-10-05', '2026-11-01'] }),
  );
  expect(echo).toMatchObject({ granularity: 'week', week_start: 'monday' });
});

it('takes for a step whatever a goal would match: reading half of a page, too', async () => {
  const { results } = await askReport(
    retention,
    { ...asked, site: 'site-c', zone: 'UTC' },
    { date_range: ['2026-10-05', '2026-10-18'], start: { pagePath: '/l*', scrollDepth: 50 } },
  );
  expect(results).toMatchObject({
    cohorts: [
      { visitors: 1, periods: [{ visitors: 0 }, { visitors: 1 }] },
      { visitors: 1, periods: [{ visitors: 0 }] },
    ],
  });
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
  const all = { start: isCounted, back: isCounted, bots: false } as const;
  const weeks = { granularity: 'week', weekStart: 'monday' } as const;
  expect(results).toEqual(naiveRetention({ ...all, ...weeks, passes, zone, dates }));
});

it.each<[string, object, number, string]>([
  ['a goal that the site has not', { return: { goal: 'Order' } }, 400, 'return.goal'],
  ['an empty step', { start: {} }, 400, 'start.eventName'],
  ['engagement, which is no event', { start: { eventName: 'engagement' } }, 400, 'start.eventName'],
  ['half a character', { return: { eventName: 'x', props: { a: '\ud800' } } }, 400, 'return.props.a'],
  ['hours', { granularity: 'hour' }, 400, 'granularity'],
  ['two hundred days', { granularity: 'day', date_range: '200d' }, 422, 'date_range'],
])('refuses %s, naming the path', async (_, body, status, path) => {
  const asking = askReport(retention, { ...asked, zone: 'UTC' }, { date_range: '28d', ...body });
  const refusal = await asking.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Problem);
  expect((refusal as Problem).options).toMatchObject({ status, errors: [{ path }] });
});
