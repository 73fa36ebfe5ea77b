// Funnels over random sessions, against walking through every visitor's events.
import fc from 'fast-check';
import { type AskedSite, askReport } from '../../../../test/asking-report.js';
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
import { funnels } from './funnels.js';

const SITE = 'site-a';
const FROM = Date.parse('2026-10-20T10:20:00Z');
const TO = Date.parse('2026-10-22T09:40:00Z');
const SLACK_MS = 6 * 3_600_000;
const DATE_RANGE = [new Date(FROM).toISOString(), new Date(TO).toISOString()];
const GOALS: readonly Goal[] = [
  { id: 'g1', name: 'Read', match: { kind: 'page', page: '/blog*', props: {} }, currency: null },
  { id: 'g2', name: 'Joined', match: { kind: 'event', name: 'signup', props: {} }, currency: null },
];

let postgres: MigratedPostgres;
let asked: AskedSite;
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startReadModels();
  asked = { pool: postgres.pool, site: SITE, zone: 'Europe/Berlin', goals: GOALS };
  sessions = [
    ...randomSessions({ seed: 31, site: SITE, count: 500, from: FROM - SLACK_MS, to: TO + SLACK_MS }),
    ...randomSessions({ seed: 32, site: 'site-b', count: 60, from: FROM, to: TO }),
  ];
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

type Matches = (event: GivenEvent) => boolean;
interface Case<T> {
  readonly wire: T;
  readonly naive: Matches;
}

const event = (name: string): Case<object> => ({
  wire: { eventName: name },
  naive: (one) => (one.name ?? 'pageview') === name && isCounted(one),
});
const page = (path: string, matches: (path: string) => boolean): Case<object> => ({
  wire: { pagePath: path },
  naive: (one) => isPageview(one) && pageOf(one) !== null && matches(pageOf(one)!),
});
const STEPS: readonly Case<object>[] = [
  event('pageview'),
  event('signup'),
  event('Outbound Link'),
  page('/', (path) => path === '/'),
  page('/blog', (path) => path === '/blog'),
  page('/*', (path) => path.startsWith('/')),
  page('*b*', (path) => path.includes('b')),
  page('/100%', (path) => path === '/100%'),
  { wire: { goal: 'Read' }, naive: page('', (path) => path.startsWith('/blog')).naive },
  { wire: { goal: 'Joined' }, naive: event('signup').naive },
];

const SECONDS: readonly (readonly [string | number | undefined, number])[] = [
  [undefined, 86_400],
  [1, 1],
  ['20s', 20],
  ['10m', 600],
  ['2h', 7_200],
  ['1d', 86_400],
  ['2w', 1_209_600],
];

interface NaiveFilter {
  readonly wire: readonly unknown[];
  /** Of sessions; or of events, of which one in the range must pass. */
  readonly session?: (session: GivenSession) => boolean;
  readonly event?: Matches;
}
const FILTERS: readonly NaiveFilter[] = [
  { wire: ['is', 'visit:country', ['DE']], session: ({ about }) => about?.country === 'DE' },
  { wire: ['is_not', 'visit:device', ['Mobile']], session: ({ about }) => about?.device !== 'Mobile' },
  { wire: ['is', 'event:page', ['/blog']], event: (one) => pageOf(one) === '/blog' },
  { wire: ['contains', 'event:name', ['sign']], event: (one) => (one.name ?? 'pageview').includes('sign') },
];

interface Occurrence {
  readonly at: number;
  readonly session: GivenSession;
  readonly event: GivenEvent;
}

interface NaiveFunnel {
  readonly steps: readonly Matches[];
  readonly seconds: number;
  readonly filter?: NaiveFilter | undefined;
  readonly bots?: boolean;
}

/** Of each visitor with a first step: the chain that counts. */
function naiveChains({
  steps,
  seconds,
  filter,
  bots = false,
}: NaiveFunnel): readonly (readonly Occurrence[])[] {
  const inRange = ({ at }: GivenEvent) => at >= FROM && at < TO;
  const passing = sessions.filter(
    (session) =>
      session.site === SITE &&
      (bots || session.bot !== true) &&
      (filter?.session?.(session) ?? true) &&
      (filter?.event === undefined ||
        session.events.some((one) => isCounted(one) && inRange(one) && filter.event!(one))),
  );
  const visitors = new Map<bigint, Occurrence[]>();
  for (const session of passing) {
    for (const one of session.events.filter(inRange)) {
      const visitor = one.visitor ?? session.visitor;
      visitors.set(visitor, [...(visitors.get(visitor) ?? []), { at: one.at, session, event: one }]);
    }
  }
  return [...visitors.values()].flatMap((found) => {
    // Stable: sessions in the order of their ids, events in theirs.
    const events = found.toSorted((a, b) => a.at - b.at);
    const chains = events.flatMap((first, index) =>
      steps[0]!(first.event) ? [greedy(events.slice(index), { steps, seconds })] : [],
    );
    if (chains.length === 0) return [];
    const furthest = Math.max(...chains.map(({ length }) => length));
    for (const [index, first] of events.entries()) {
      if (!steps[0]!(first.event)) continue;
      const rest = events.slice(index + 1).filter(({ at }) => at <= first.at + seconds * 1_000);
      if (1 + exhaustive(rest, steps.slice(1)) > furthest) throw new Error('The plain walk missed a chain');
    }
    return [chains.find(({ length }) => length === furthest)!];
  });
}

function greedy(
  events: readonly Occurrence[],
  { steps, seconds }: { readonly steps: readonly Matches[]; readonly seconds: number },
): readonly Occurrence[] {
  const chain: Occurrence[] = [events[0]!];
  for (const one of events.slice(1)) {
    if (one.at > events[0]!.at + seconds * 1_000 || chain.length === steps.length) break;
    if (steps[chain.length]!(one.event)) chain.push(one);
  }
  return chain;
}

/** By trying every choice, not only the earliest. */
function exhaustive(events: readonly Occurrence[], [step, ...rest]: readonly Matches[]): number {
  if (step === undefined) return 0;
  let best = 0;
  for (const [index, one] of events.entries()) {
    if (step(one.event)) best = Math.max(best, 1 + exhaustive(events.slice(index + 1), rest));
    if (best === rest.length + 1) break;
  }
  return best;
}

function naiveSteps(chains: readonly (readonly Occurrence[])[], steps: number) {
  const reached = (step: number) => chains.filter(({ length }) => length > step);
  return Array.from({ length: steps }, (_, step) => {
    const waits = step === 0 ? [] : reached(step).map((chain) => chain[step]!.at - chain[step - 1]!.at);
    return {
      visitors: reached(step).length,
      conversion_rate: percent(reached(step).length, reached(0).length),
      step_conversion_rate: percent(reached(step).length, reached(Math.max(0, step - 1)).length),
      drop_off: reached(Math.max(0, step - 1)).length - reached(step).length,
      median_seconds: waits.length === 0 ? null : median(waits) / 1_000,
    };
  });
}

/** With whole numbers, so that ties are ties. */
function percent(part: number, whole: number): number {
  if (whole === 0) return 0;
  const below = Math.floor((part * 10_000) / whole);
  const rest = 2 * (part * 10_000 - below * whole) - whole;
  return (rest > 0 || (rest === 0 && below % 2 === 1) ? below + 1 : below) / 100;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}

interface Answered {
  readonly steps: readonly { readonly name: string; readonly visitors: number }[];
  readonly groups?: readonly {
    readonly dimensions: readonly string[];
    readonly steps: readonly { readonly name: string }[];
  }[];
}
const ask = async (body: Readonly<Record<string, unknown>>) => {
  const { results, echo } = await askReport(funnels, asked, { date_range: DATE_RANGE, ...body });
  return { ...(results as Answered), echo };
};
const nameless = (steps: readonly { readonly name: string }[]) =>
  steps.map((step) => ({ ...step, name: undefined }));

it('agrees with walking through every visitor, whatever the steps, window, filter and bots', async () => {
  let deepest = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...STEPS), { minLength: 2, maxLength: 5 }),
      fc.constantFrom(...SECONDS),
      fc.option(fc.constantFrom(...FILTERS), { nil: undefined }),
      fc.boolean(),
      async (steps, [window, seconds], filter, bots) => {
        const { steps: answered, echo } = await ask({
          steps: steps.map(({ wire }) => wire),
          ...(window !== undefined && { window }),
          ...(filter && { filters: [filter.wire] }),
          include: { bots },
        });
        const chains = naiveChains({ steps: steps.map(({ naive }) => naive), seconds, filter, bots });
        expect(nameless(answered)).toEqual(naiveSteps(chains, steps.length));
        expect(echo.window).toBe(seconds);
        deepest = Math.max(deepest, ...chains.map(({ length }) => length));
      },
    ),
    { numRuns: 150 },
  );
  expect(deepest).toBe(5);
});

it('follows ten steps', async () => {
  const steps = Array.from({ length: 10 }, () => event('pageview'));
  const { steps: answered } = await ask({ steps: steps.map(({ wire }) => wire), window: '3d' });
  const chains = naiveChains({ steps: steps.map(({ naive }) => naive), seconds: 259_200 });
  expect(nameless(answered)).toEqual(naiveSteps(chains, 10));
  expect(chains.some(({ length }) => length === 10)).toBe(true);
});

it.each<[string, (first: Occurrence) => string]>([
  ['visit:source', ({ session }) => session.about?.source ?? 'Direct / None'],
  ['visit:browser', ({ session }) => session.about?.browser ?? '(not set)'],
  ['event:page', ({ event: one }) => pageOf(one) ?? '(not set)'],
])('groups by %s as it was at the first step', async (dimension, valueOf) => {
  const steps = [page('/*', (path) => path.startsWith('/')), event('pageview'), event('signup')];
  const { groups, steps: whole } = await ask({
    steps: steps.map(({ wire }) => wire),
    dimensions: [dimension],
    window: '2h',
  });
  const chains = naiveChains({ steps: steps.map(({ naive }) => naive), seconds: 7_200 });
  expect(nameless(whole)).toEqual(naiveSteps(chains, 3));
  const values = [...new Set(chains.map((chain) => valueOf(chain[0]!)))];
  const expected = values
    .map((value) => ({ value, of: chains.filter((chain) => valueOf(chain[0]!) === value) }))
    .toSorted(
      (a, b) => b.of.length - a.of.length || Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)),
    );
  expect(groups!.map(({ dimensions, steps }) => [dimensions, nameless(steps)])).toEqual(
    expected.map(({ value, of }) => [[value], naiveSteps(of, 3)]),
  );
  const { groups: two } = await ask({
    steps: steps.map(({ wire }) => wire),
    dimensions: [dimension],
    window: '2h',
    limit: 2,
  });
  expect(two).toEqual(groups!.slice(0, 2));
});

it('takes a saved funnel as its steps, with the window that it has or the usual one', async () => {
  const match = { kind: 'page', page: '/', props: {} } as const;
  const steps = [
    { name: 'Home', match },
    { name: 'Joined', match: GOALS[1]!.match },
  ];
  const saved = [
    { id: 'f1', name: 'Join', steps, windowSeconds: 600 },
    { id: 'f2', name: 'Join', steps, windowSeconds: null },
  ];
  for (const [funnel, window, expected] of [
    ['f1', undefined, 600],
    ['f2', undefined, 86_400],
    ['f1', 20, 20],
  ]) {
    const answer = await askReport(
      funnels,
      { ...asked, funnels: saved },
      { date_range: DATE_RANGE, funnel, ...(window && { window }) },
    );
    const same = await ask({ steps: [{ pagePath: '/' }, { goal: 'Joined' }], window: expected });
    expect(nameless((answer.results as Answered).steps)).toEqual(nameless(same.steps));
    expect((answer.results as Answered).steps.map(({ name }) => name)).toEqual(['Home', 'Joined']);
    expect(answer.echo).toMatchObject({ funnel, window: expected });
  }
});

it.each<[string, object, string]>([
  ['neither steps nor funnel', {}, 'steps'],
  ['both', { steps: [{ goal: 'Read' }, { goal: 'Read' }], funnel: 'f1' }, 'steps'],
  ['a funnel that the site has not', { funnel: 'f1' }, 'funnel'],
  ['a goal that the site has not', { steps: [{ goal: 'Read' }, { goal: 'read' }] }, 'steps[1].goal'],
  ['one step', { steps: [{ goal: 'Read' }] }, 'steps'],
  ['eleven steps', { steps: Array.from({ length: 11 }, () => ({ goal: 'Read' })) }, 'steps'],
  [
    'a step that names two things',
    { steps: [{ goal: 'Read' }, { goal: 'Read', pagePath: '/' }] },
    'steps[1].pagePath',
  ],
  ['a window without unit', { funnel: 'f1', window: '24' }, 'window'],
  ['a window of two years', { funnel: 'f1', window: '731d' }, 'window'],
  ['no window at all', { funnel: 'f1', window: 0 }, 'window'],
  ['a dimension of time', { funnel: 'f1', dimensions: ['time:day'] }, 'dimensions[0]'],
  ['two dimensions', { funnel: 'f1', dimensions: ['visit:os', 'visit:city'] }, 'dimensions'],
  ['what it does not know', { funnel: 'f1', metrics: ['visits'] }, 'metrics'],
])('refuses %s, naming the path', async (_, body, path) => {
  const refusal = await ask(body as Readonly<Record<string, unknown>>).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Problem);
  expect((refusal as Problem).options).toMatchObject({ status: 400, errors: [{ path }] });
});
