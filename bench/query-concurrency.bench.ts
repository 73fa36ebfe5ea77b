// A busy installation: 200 at once ask about 10,000 sites, most about a few, while events arrive at a modest
// steady rate and are projected; every question must be answered. And a dashboard's twelve questions at
// once about a site of 100,000 sessions, none asked before. --seconds=30, --rate=500 events/s,
// --sites=10000, --queriers=200, --sessions=300000 of all sites together, --rounds=7 of the dashboard.
import { setTimeout as sleep } from 'node:timers/promises';
import { random } from '../test/traffic.js';
import { type Fact, median, report, seconds } from './measure.js';
import { option } from './option.js';
import { Product, progress, type RoleProcess } from './product.js';
import { QueryLoad, requestOf, startProgram, told } from './query-load.js';
import type { LoadCommand, LoadResult } from './servers/http-load.js';
import { fillReadModels, type SyntheticSite } from './session-rows.js';

const SECONDS = option('seconds', 30);
const EVENTS_PER_SECOND = option('rate', 500);
const SITES = option('sites', 10_000);
const QUERIERS = option('queriers', 200);
const SESSIONS = option('sessions', 300_000);
const DASHBOARD_SESSIONS = option('dashboard-sessions', 100_000);
const ROUNDS = option('rounds', 7);
const KEYS = 20;
/** Different ones, in turn: by Zipf's law many are alike. */
const REQUESTS = 20_000;
const DAYS = 30;
const DAY_MS = 86_400_000;
const DASHBOARD_MS_MAX = 500;
const LOOK_INTERVAL_MS = 250;
const SETTLING_SECONDS_MAX = 300;

const PROJECTED = 'SELECT coalesce(sum(events), 0)::float8 AS events FROM traffic_v1';
const OVERVIEW = ['visitors', 'visits', 'pageviews', 'bounce_rate', 'visit_duration'];
const BREAKDOWNS = [
  'visit:source',
  'event:page',
  'visit:entry_page',
  'visit:exit_page',
  'visit:country',
  'visit:city',
  'visit:browser',
  'visit:os',
  'visit:device',
  'visit:utm_medium',
];
const panels = (rows: number): readonly object[] => [
  { metrics: OVERVIEW, pagination: { limit: rows } },
  { metrics: ['visitors', 'pageviews'], dimensions: ['time:day'], pagination: { limit: 100 + rows } },
  ...BREAKDOWNS.map((name) => ({ metrics: ['visitors'], dimensions: [name], pagination: { limit: rows } })),
];
const PANELS = panels(10);

const product = await Product.start();
const load = await QueryLoad.start();
const intakeLoad = await startProgram('bench/servers/http-load.js');
try {
  const { sites, dashboardSite } = await prepare();
  const backend = await product.role('ingest,projector');
  const notSettling = await product.role('api', { environment: { SETTLED_DAY_SESSIONS_MIN: '1000000000' } });
  const key = await notSettling.issueKey('stats:read');
  const before = await dashboards(notSettling, { key, site: dashboardSite, rows: 10 });
  const api = await product.role('api');
  const settlingSeconds = await settled(api);
  // Of other lengths than those before: the nodes share what Redis remembers.
  const after = await dashboards(api, { key, site: dashboardSite, rows: 11 });
  const facts = await crowd({ api, backend }, sites);
  report(
    'query-concurrency',
    [],
    [
      ...dashboardFacts('days not settled', before),
      { name: 'settling them, at rest half of the time', value: settlingSeconds, unit: 's' },
      ...dashboardFacts('days settled', after),
      ...facts,
    ],
  );
} finally {
  intakeLoad.process.kill('SIGTERM');
  load.stop();
  await product.stop();
}

async function prepare(): Promise<{ sites: string[]; dashboardSite: string }> {
  progress(`${SITES} sites`);
  const [dashboardSite, ...sites] = (await product.recordSites(SITES + 1)) as [string, ...string[]];
  progress('their sessions');
  const shares = sites.map((_, rank) => 1 / (rank + 1));
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const sized = sites.map((site, rank): SyntheticSite => {
    return { site, sessions: Math.max(1, Math.round((SESSIONS * shares[rank]!) / whole)) };
  });
  await fillReadModels(product.pool, { sites: sized, days: DAYS, until: Date.now() });
  const days = DAYS + ROUNDS;
  await fillReadModels(product.pool, {
    sites: [{ site: dashboardSite, sessions: Math.round((DASHBOARD_SESSIONS * days) / DAYS) }],
    days,
    until: today(),
  });
  return { sites, dashboardSite };
}

function today(): number {
  return Math.floor(Date.now() / DAY_MS) * DAY_MS;
}

interface Dashboard {
  readonly key: string;
  readonly site: string;
  readonly rows: number;
}

/** Of a browser that opens the page: all at once, each time thirty days that nobody has asked about. */
async function dashboards(api: RoleProcess, { key, site, rows }: Dashboard): Promise<number[]> {
  progress('dashboards');
  const tookMs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const ends = [DAYS + round, round].map((days) => new Date(today() - days * DAY_MS).toISOString());
    const taken = await seconds(() =>
      Promise.all(
        panels(rows).map((panel) =>
          api.made(`/v1/sites/${site}/query`, { key, body: { ...panel, date_range: ends } }),
        ),
      ),
    );
    // The first opens connections and compiles.
    if (round > 0) tookMs.push(taken * 1_000);
  }
  return tookMs;
}

/** Seconds until all days of large sites are settled. */
async function settled(api: RoleProcess): Promise<number> {
  progress('settling');
  const startedAt = performance.now();
  for (;;) {
    const waited = (performance.now() - startedAt) / 1_000;
    const [unsettled, rounds] = await Promise.all([
      api.metric('tidemark_query_unsettled_days'),
      api.metric('tidemark_query_settling_round_timestamp_seconds'),
    ]);
    if (rounds > 0 && unsettled === 0) return waited;
    if (waited > SETTLING_SECONDS_MAX) throw new Error(`${unsettled} days are not settled`);
    await sleep(LOOK_INTERVAL_MS);
  }
}

function dashboardFacts(when: string, tookMs: readonly number[]): Fact[] {
  const name = `dashboard of ${PANELS.length}, ${DASHBOARD_SESSIONS} sessions, ${when}`;
  return [
    { name: `${name}, median`, value: median(tookMs), unit: 'ms', atMost: DASHBOARD_MS_MAX },
    { name: `${name}, highest of ${ROUNDS}`, value: Math.max(...tookMs), unit: 'ms' },
  ];
}

interface Processes {
  readonly api: RoleProcess;
  readonly backend: RoleProcess;
}

async function crowd({ api, backend }: Processes, sites: readonly string[]): Promise<Fact[]> {
  const keys: string[] = [];
  while (keys.length < KEYS) keys.push(await api.issueKey('stats:read'));
  const requests = requestsAbout(sites, keys);
  const asking = { port: api.port, requests, status: 200, connections: QUERIERS };
  progress('a few seconds of questions, not counted');
  await load.run({ ...asking, seconds: 3 });
  progress(`${QUERIERS} at once for ${SECONDS} s, ${EVENTS_PER_SECOND} events/s`);
  const before = await product.pool.query<{ events: number }>(PROJECTED);
  const [answers, taken] = await Promise.all([
    load.run({ ...asking, seconds: SECONDS, first: Math.floor(REQUESTS / 2) }),
    arrive(backend, sites),
  ]);
  const lag = await projectedAfter(before.rows[0]!.events + taken.acknowledgedInAll);
  const latency = (percent: number) => answers.latenciesMs[percent]!;
  return [
    { name: 'sites', value: SITES, unit: '' },
    { name: 'queriers at once', value: QUERIERS, unit: '' },
    {
      name: 'questions answered, all with 200',
      value: answers.answered / answers.seconds,
      unit: 'answers/s',
    },
    { name: 'p50', value: latency(50), unit: 'ms' },
    { name: 'p95', value: latency(95), unit: 'ms' },
    { name: 'p99', value: latency(99), unit: 'ms' },
    { name: 'events taken meanwhile', value: taken.acknowledged / taken.seconds, unit: 'events/s' },
    { name: 'all of them in the numbers after', value: lag, unit: 's' },
  ];
}

/** As long as the questions. */
function arrive(backend: RoleProcess, sites: readonly string[]): Promise<LoadResult> {
  const command: LoadCommand = {
    port: backend.port,
    key: backend.key,
    eventsPerRequest: 1,
    connections: 8,
    seconds: SECONDS,
    sites,
    eventsPerSecondMax: EVENTS_PER_SECOND,
  };
  return told<LoadResult>(intakeLoad, command);
}

/** Seconds until all can be queried. */
async function projectedAfter(events: number): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { rows } = await product.pool.query<{ events: number }>(PROJECTED);
    const found = rows[0]!.events;
    const waited = (performance.now() - startedAt) / 1_000;
    if (found === events) return waited;
    if (found > events || waited > 60) throw new Error(`${found} events are counted, ${events} were taken`);
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** Which site: by Zipf's law. Of what range: mostly the last week or month, as dashboards open with. */
function requestsAbout(sites: readonly string[], keys: readonly string[]): string[] {
  const next = random(1);
  const whole = Math.log(sites.length + 1);
  return Array.from({ length: REQUESTS }, (_, index) => {
    const rank = Math.floor(Math.exp(next() * whole)) - 1;
    const body = {
      ...PANELS[Math.floor(next() * PANELS.length)],
      date_range: ['7d', '30d', '30d', 'day'][Math.floor(next() * 4)],
    };
    return requestOf({
      site: sites[Math.min(rank, sites.length - 1)]!,
      key: keys[index % keys.length]!,
      body,
    });
  });
}
