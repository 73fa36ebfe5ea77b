// Journeys over random sessions, against following every visit page by page.
import fc from 'fast-check';
import { type AskedSite, askReport } from '../../../../test/asking-report.js';
import { randomSessions } from '../../../../test/random-sessions.js';
import {
  startReadModels,
  type GivenSession,
  insertSessions,
  isCounted,
  isPageview,
  pageOf,
} from '../../../../test/read-model-rows.js';
import type { MigratedPostgres } from '../../../../test/servers/postgres.js';
import { Problem } from '../../../http/problem.js';
import { journeys } from './journeys.js';

const SITE = 'site-a';
const FROM = Date.parse('2026-10-20T10:20:00Z');
const TO = Date.parse('2026-10-22T09:40:00Z');
const SLACK_MS = 6 * 3_600_000;
const DATE_RANGE = [new Date(FROM).toISOString(), new Date(TO).toISOString()];

let postgres: MigratedPostgres;
let asked: AskedSite;
let sessions: readonly GivenSession[];

beforeAll(async () => {
  postgres = await startReadModels();
  asked = { pool: postgres.pool, site: SITE, zone: 'UTC' };
  sessions = [
    ...randomSessions({ seed: 51, site: SITE, count: 600, from: FROM - SLACK_MS, to: TO + SLACK_MS }),
    ...[FROM, TO].flatMap((end) => ['/', '/pricing', '/blog'].map((page) => cutBy(end, page))),
    ...randomSessions({ seed: 52, site: 'site-b', count: 60, from: FROM, to: TO }),
  ];
  await insertSessions(postgres.pool, sessions);
});
afterAll(() => postgres.stop());

/** One page viewed on both sides of an end of the range, between others. */
const cutBy = (end: number, page: string): GivenSession => ({
  site: SITE,
  visitor: 7n,
  events: ['/a', page, page, '/z'].map((viewed, minute) => ({
    at: end + (minute - 2) * 60_000,
    page: viewed,
  })),
});

type Passes = (session: GivenSession) => boolean;
const PAGES: readonly { readonly wire: string; readonly naive: (page: string) => boolean }[] = [
  { wire: '/', naive: (page) => page === '/' },
  { wire: '/pricing', naive: (page) => page === '/pricing' },
  { wire: '/blog*', naive: (page) => page.startsWith('/blog') },
  { wire: '/100%', naive: (page) => page === '/100%' },
  { wire: '/b_og', naive: () => false },
];
const inRange = (at: number) => at >= FROM && at < TO;
const FILTERS: readonly { readonly wire: readonly unknown[]; readonly naive: Passes }[] = [
  { wire: ['is', 'visit:country', ['DE']], naive: ({ about }) => about?.country === 'DE' },
  {
    wire: ['is', 'event:name', ['signup']],
    naive: ({ events }) => events.some((one) => one.name === 'signup' && isCounted(one) && inRange(one.at)),
  },
];

interface NaiveJourneys {
  readonly matches: (page: string) => boolean;
  readonly before: number;
  readonly after: number;
  readonly limit: number;
  readonly passes: Passes;
  readonly bots: boolean;
}

function naiveJourneys({ matches, before, after, limit, passes, bots }: NaiveJourneys) {
  /** By step, each visit's page there, or undefined. */
  const stretches: Map<number, string>[] = [];
  for (const session of sessions) {
    if (session.site !== SITE || (!bots && session.bot === true) || !passes(session)) continue;
    const path: { page: string; wanted: boolean }[] = [];
    for (const event of session.events.filter(isPageview)) {
      const page = pageOf(event) ?? '(not set)';
      const wanted = matches(page) && inRange(event.at);
      const last = path.at(-1);
      if (last?.page === page) last.wanted ||= wanted;
      else path.push({ page, wanted });
    }
    const middle = path.findIndex(({ wanted }) => wanted);
    if (middle < 0) continue;
    const pages = ['(start)', ...path.map(({ page }) => page), '(end)'];
    const stretch = new Map<number, string>();
    for (const [place, page] of pages.entries()) {
      const step = place - 1 - middle;
      if (step >= -before && step <= after) stretch.set(step, page);
    }
    stretches.push(stretch);
  }
  const steps = Array.from({ length: before + after + 1 }, (_, index) => index - before);
  const countBy = (keys: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts].toSorted(([a, m], [b, n]) => n - m || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  };
  const isMarker = (page: string) => page === '(start)' || page === '(end)';
  const at = (step: number) => stretches.flatMap((stretch) => stretch.get(step) ?? []);
  const shown = new Map(
    steps.map((step) => [
      step,
      new Set(
        countBy(at(step).filter((page) => !isMarker(page)))
          .slice(0, limit)
          .map(([page]) => page),
      ),
    ]),
  );
  const label = (step: number, page: string) =>
    isMarker(page) || shown.get(step)!.has(page) ? page : '(other)';
  return {
    visits: stretches.length,
    steps: steps.map((step) => ({
      step,
      pages: countBy(at(step).map((page) => label(step, page)))
        .toSorted(([a], [b]) => Number(a === '(other)') - Number(b === '(other)'))
        .map(([page, visits]) => ({ page, visits, percentage: percent(visits, stretches.length) })),
    })),
    links: steps.slice(0, -1).flatMap((step) => {
      const pairs = stretches.flatMap((stretch) => {
        const [from, to] = [stretch.get(step), stretch.get(step + 1)];
        return from === undefined || to === undefined ? [] : [`${label(step, from)}\n${label(step + 1, to)}`];
      });
      return countBy(pairs).map(([pair, visits]) => {
        const [from, to] = pair.split('\n');
        return { step, from, to, visits };
      });
    }),
  };
}

/** With whole numbers, so that ties are ties. */
function percent(part: number, whole: number): number {
  const below = Math.floor((part * 10_000) / whole);
  const rest = 2 * (part * 10_000 - below * whole) - whole;
  return (rest > 0 || (rest === 0 && below % 2 === 1) ? below + 1 : below) / 100;
}

interface Linked {
  readonly links: readonly { readonly step: number; readonly from: string; readonly to: string }[];
}
/** Links follow an order of their own kind; the test only wants them all. */
const inOneOrder = <T extends Linked>(results: T) => ({
  ...results,
  links: results.links.map((link) => JSON.stringify(link)).sort(),
});

it('agrees with following every visit, whatever the page, steps, limit, filter and bots', async () => {
  let linked = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        page: fc.constantFrom(...PAGES),
        before: fc.integer({ min: 0, max: 5 }),
        after: fc.integer({ min: 0, max: 5 }),
        limit: fc.integer({ min: 1, max: 4 }),
        filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined }),
        bots: fc.boolean(),
      }),
      async ({ page, before, after, limit, filter, bots }) => {
        const { results } = await askReport(journeys, asked, {
          date_range: DATE_RANGE,
          page: page.wire,
          before,
          after,
          limit,
          ...(filter && { filters: [filter.wire] }),
          include: { bots },
        });
        const passes = filter?.naive ?? (() => true);
        const expected = naiveJourneys({ matches: page.naive, before, after, limit, passes, bots });
        expect(inOneOrder(results as Linked)).toEqual(inOneOrder(expected as never));
        linked += expected.links.length;
      },
    ),
    { numRuns: 150 },
  );
  expect(linked).toBeGreaterThan(100);
});

it('takes three steps each way and ten pages when nothing is said', async () => {
  const { results, echo } = await askReport(journeys, asked, { date_range: DATE_RANGE, page: '/' });
  const all = { passes: () => true, bots: false };
  const expected = naiveJourneys({ ...all, matches: (page) => page === '/', before: 3, after: 3, limit: 10 });
  expect(inOneOrder(results as Linked)).toEqual(inOneOrder(expected as never));
  expect(echo).toMatchObject({ before: 3, after: 3, limit: 10 });
});

it.each<[string, object, string]>([
  ['no page', {}, 'page'],
  ['six steps', { page: '/', after: 6 }, 'after'],
  ['no pages at all', { page: '/', limit: 0 }, 'limit'],
  ['eleven wildcards', { page: '*a'.repeat(11) }, 'page'],
])('refuses %s, naming the path', async (_, body, path) => {
  const asking = askReport(journeys, asked, { date_range: DATE_RANGE, ...body });
  const refusal = await asking.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Problem);
  expect((refusal as Problem).options).toMatchObject({ status: 400, errors: [{ path }] });
});
