// What its neighbours notice of a flood: quiet sites send and ask at their own pace (an open loop), in turns alone
// and beside one merchant that (a) sends to one site beyond its rate with one key, (b) sends beyond its quota with
// many keys, (c) asks queries beyond its key's rate. Roles in processes of their own, on the machine's cores.
// --sites=200 quiet ones, --rate=400 events/s of them together, --questions=20 a second, --flood=2000 requests/s,
// --asked=500 queries/s of the flood, --seconds=10 a turn, --rounds=3.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  eventRequest,
  type Flood,
  type Keyed,
  LIMITS,
  prepareFloods,
  questionRequest,
  quietSites,
} from './flood-load.js';
import { freshnessMs } from './markers.js';
import { type Fact, median, quantile, report } from './measure.js';
import { option } from './option.js';
import { cpuSeconds, Product, progress, residentMegabytes, type RoleProcess } from './product.js';
import { type Program, startProgram, told } from './query-load.js';
import type { OpenLoadCommand, OpenLoadResult } from './servers/open-load.js';

const QUIET_SITES = option('sites', 200);
const QUIET_EVENTS_PER_SECOND = option('rate', 400);
const QUESTIONS_PER_SECOND = option('questions', 20);
const FLOOD_RATES = {
  requestsPerSecond: option('flood', 2_000),
  queriesPerSecond: option('asked', 500),
};
const SECONDS = option('seconds', 10);
const ROUNDS = option('rounds', 3);
const RATIO_MAX = 1.25;
/** Begun before the neighbours are looked at, so that a burst that may be taken is over. */
const LEAD_SECONDS = 4;
const REST_MS = 1_000;
/** Each is used within seconds: a server hangs up on one that stays silent. */
const QUIET_CONNECTIONS = 32;
const FLOOD_CONNECTIONS = 128;
const READERS = 20;
const MARKER_SITES = 4;
const SETTLED_TIMEOUT_MS = 60_000;
const LOOK_INTERVAL_MS = 100;
const LOAD_CORES_MAX = 0.9;

const MEASURED = ['intake', 'queries', 'freshness'] as const;

interface Turn {
  readonly latenciesMs: Readonly<Record<(typeof MEASURED)[number], readonly number[]>>;
  /** Undefined: there was no flood. */
  readonly flooded: OpenLoadResult | undefined;
  /** Of the process that floods go to, while the neighbours were looked at. */
  readonly cores: number;
}

interface Cast {
  readonly api: RoleProcess;
  readonly ingest: RoleProcess;
  readonly projector: RoleProcess;
  readonly quiet: readonly Keyed[];
  readonly markers: readonly Keyed[];
  readonly readers: readonly string[];
  readonly floods: readonly Flood[];
}

const product = await Product.start();
const [intake, queries, flooder] = await Promise.all([openLoad(), openLoad(), openLoad()]);
try {
  const cast = await prepare();
  progress('turns that are not counted');
  await turn(cast);
  for (const flood of cast.floods) await turn(cast, flood);
  const turns = new Map(cast.floods.map(({ name }) => [name, { alone: [] as Turn[], beside: [] as Turn[] }]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const flood of cast.floods) {
      progress(`round ${round + 1}: ${flood.name}`);
      const { alone, beside } = turns.get(flood.name)!;
      alone.push(await turn(cast));
      beside.push(await turn(cast, flood));
    }
  }
  const facts = [...turns].flatMap(([name, { alone, beside }]) => [
    ...neighbours(name, alone, beside),
    ...refusals(name, alone, beside),
  ]);
  report('flood', [], [...facts, ...(await accounts(cast)), ...memory(cast)]);
} finally {
  for (const { process: child } of [intake, queries, flooder]) child.kill('SIGTERM');
  await product.stop();
}

function openLoad(): Promise<Program> {
  return startProgram('bench/servers/open-load.js');
}

async function prepare(): Promise<Cast> {
  const api = await product.role('api', { environment: LIMITS });
  const ingest = await product.role('ingest', { environment: LIMITS });
  const projector = await product.role('projector', { environment: LIMITS });
  progress(`${QUIET_SITES} sites and their keys`);
  const quiet = await quietSites(api, { count: QUIET_SITES, name: 'quiet' });
  const markers = await quietSites(api, { count: MARKER_SITES, name: 'marker' });
  const readers: string[] = [];
  while (readers.length < READERS) readers.push(await api.issueKey('stats:read'));
  const floods = await prepareFloods({ api, ingest }, FLOOD_RATES);
  return { api, ingest, projector, quiet, markers, readers, floods };
}

async function turn(cast: Cast, flood?: Flood): Promise<Turn> {
  await sleep(REST_MS);
  const flooding = flood && told<OpenLoadResult>(flooder, floodCommand(flood));
  if (flooding) await sleep(LEAD_SECONDS * 1_000);
  const stop = new AbortController();
  const fresh = freshnessMs(markersOf(cast), stop.signal);
  const flooded = flood?.at ?? cast.ingest;
  const cpuBefore = cpuSeconds(flooded.pid);
  const [sent, asked] = await Promise.all([
    told<OpenLoadResult>(intake, intakeCommand(cast)),
    told<OpenLoadResult>(queries, queryCommand(cast)),
  ]);
  const cores = (cpuSeconds(flooded.pid) - cpuBefore) / SECONDS;
  stop.abort();
  for (const result of [sent, asked]) requireUndisturbed(result);
  const freshness = await fresh;
  return {
    latenciesMs: { intake: sent.latenciesMs, queries: asked.latenciesMs, freshness },
    flooded: await flooding,
    cores,
  };
}

function markersOf({ markers, ingest }: Cast) {
  const keys = new Map(markers.map(({ site, key }) => [site, key]));
  return {
    pool: product.pool,
    sites: [...keys.keys()],
    async send(event: { readonly site: string }): Promise<void> {
      const answer = await ingest.call('/v1/events', { key: keys.get(event.site)!, body: event });
      if (answer.status !== 202) throw new Error(`A marker was answered ${answer.status}`);
      await answer.arrayBuffer();
    },
  };
}

function intakeCommand({ ingest, quiet }: Cast): OpenLoadCommand {
  return {
    port: ingest.port,
    requests: Array.from({ length: QUIET_EVENTS_PER_SECOND * SECONDS }, (_, n) =>
      eventRequest(quiet[n % quiet.length]!.key),
    ),
    requestsPerSecond: QUIET_EVENTS_PER_SECOND,
    connections: QUIET_CONNECTIONS,
    seconds: SECONDS,
  };
}

function queryCommand({ api, quiet, readers }: Cast): OpenLoadCommand {
  return {
    port: api.port,
    requests: Array.from({ length: QUESTIONS_PER_SECOND * SECONDS }, (_, n) =>
      questionRequest(readers[n % readers.length]!, quiet[n % quiet.length]!.site),
    ),
    requestsPerSecond: QUESTIONS_PER_SECOND,
    connections: QUIET_CONNECTIONS,
    seconds: SECONDS,
  };
}

function floodCommand({ at, requests, requestsPerSecond }: Flood): OpenLoadCommand {
  return {
    ...{ port: at.port, requests, requestsPerSecond },
    connections: FLOOD_CONNECTIONS,
    seconds: LEAD_SECONDS + SECONDS,
  };
}

/** What keeps within its limits is taken, all of it. */
function requireUndisturbed({ statuses, loadCores }: OpenLoadResult): void {
  if (loadCores > LOAD_CORES_MAX) throw new Error('Void: the load generator was the limit');
  if (Object.keys(statuses).every((status) => status.startsWith('2'))) return;
  throw new Error(`Neighbours were answered ${JSON.stringify(statuses)}`);
}

/** Ratios are of each turn beside the flood to the one just before it, in which there was none. */
function neighbours(name: string, alone: readonly Turn[], beside: readonly Turn[]): Fact[] {
  return MEASURED.flatMap((what) =>
    [0.5, 0.99].flatMap((share): Fact[] => {
      const of = (turns: readonly Turn[]) =>
        turns.map(({ latenciesMs }) => quantile(latenciesMs[what], share));
      const [without, flooded] = [of(alone), of(beside)];
      const title = `${name}: ${what}, p${share * 100}`;
      const ratio = median(flooded.map((ms, round) => ms / without[round]!));
      return [
        { name: `${title} without`, value: median(without), unit: 'ms' },
        { name: `${title} with`, value: median(flooded), unit: 'ms' },
        {
          name: `${title} with ÷ without`,
          value: ratio,
          unit: '',
          ...(share > 0.9 && { atMost: RATIO_MAX }),
        },
      ];
    }),
  );
}

function refusals(name: string, alone: readonly Turn[], beside: readonly Turn[]): Fact[] {
  const results = beside.map(({ flooded }) => flooded!);
  const sum = (of: (result: OpenLoadResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const answered = (...wanted: string[]) =>
    sum(({ statuses }) => wanted.reduce((total, status) => total + (statuses[status] ?? 0), 0));
  const all = sum(({ statuses }) => Object.values(statuses).reduce((total, count) => total + count, 0));
  if (answered('200', '202', '429') !== all)
    throw new Error(`${name}: ${JSON.stringify(results[0]!.statuses)}`);
  const seconds = (LEAD_SECONDS + SECONDS) * results.length;
  const cores = median(beside.map((turn, round) => turn.cores - alone[round]!.cores));
  return [
    { name: `${name}: refused with 429`, value: answered('429') / seconds, unit: 'answers/s' },
    { name: `${name}: without Retry-After`, value: sum((one) => one.withoutRetryAfter), unit: '', atMost: 0 },
    { name: `${name}: taken`, value: answered('200', '202') / seconds, unit: 'answers/s' },
    { name: `${name}: due and not even sent`, value: sum(({ unsent }) => unsent), unit: 'requests' },
    {
      name: `${name}: more of the process's time`,
      value: (cores * 1e6 * seconds) / all,
      unit: 'µs an answer',
    },
  ];
}

/** Whatever was taken can be queried, and what was received is accounted for, to the event. */
async function accounts({ ingest }: Cast): Promise<Fact[]> {
  const events = (what: string) => ingest.metric(`tidemark_ingestion_events_${what}_total`);
  const [received, accepted, duplicates, rejected, dropped] = await Promise.all(
    ['received', 'accepted', 'duplicates', 'rejected', 'dropped'].map(events),
  );
  const deadline = performance.now() + SETTLED_TIMEOUT_MS;
  let projected = -1;
  while (projected !== accepted && performance.now() < deadline) {
    await sleep(LOOK_INTERVAL_MS);
    const { rows } = await product.pool.query<{ events: number }>(
      'SELECT coalesce(sum(events), 0)::float8 AS events FROM traffic_v1',
    );
    projected = rows[0]!.events;
  }
  const unaccounted = received! - accepted! - duplicates! - rejected! - dropped!;
  return [
    {
      name: 'received - accepted - duplicates - rejected - dropped',
      value: Math.abs(unaccounted),
      unit: 'events',
      atMost: 0,
    },
    {
      name: 'accepted and not in the numbers',
      value: Math.abs(accepted! - projected),
      unit: 'events',
      atMost: 0,
    },
  ];
}

function memory({ ingest, api, projector }: Cast): Fact[] {
  return Object.entries({ ingest, api, projector }).map(([name, { pid }]) => ({
    name: `resident at the end, ${name}`,
    value: residentMegabytes(pid),
    unit: 'MB',
  }));
}
