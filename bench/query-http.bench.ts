// What an answer costs over HTTP that is known already: found in Redis by a process that has not got it, found
// in the process's own memory, or known to the client (304); each against a bare Fastify route that gets
// the same bytes from Redis and sends them. Key, rate limit, normalising, freshness: all that a request
// passes is on our side. The answers were computed by another process. Servers on core 0, load and Redis on
// core 1. --seconds=3 a turn, --rounds=5, --answers=6000 that are asked for in turn.
import { Redis } from 'ioredis';
import { type Contender, measure, report } from './measure.js';
import { option } from './option.js';
import { cpuSeconds, pin, Product, progress, type RoleProcess } from './product.js';
import { QueryLoad, requestOf, startProgram, told } from './query-load.js';
import { fillReadModels, setCheckpoints } from './session-rows.js';

const ROUNDS = option('rounds', 5);
const ROUND_SECONDS = option('seconds', 3);
const FOUND_ONCE = 5_000;
/** What is found in Redis is kept when it is found again within so many others: asked for in turn, none is. */
const ANSWERS = option('answers', 6_000);
const CONNECTIONS = 32;
/** What is timed is Redis, not what a process does that shares its core and gives Redis up: 50 ms as deployed. */
const REDIS_TIMEOUT_MS = 1_000;
/** Few: what is computed once for each answer is not what is timed. */
const SESSIONS = 300;
const DAYS = 30;
const DAY_MS = 86_400_000;
const [SERVER_CORE, LOAD_CORE] = ['0', '1'];

const COLD = 'cached in Redis, not in the process';
const WARM = 'cached in the process';
const KNOWN = 'known to the client: 304';
const BARE = 'bare Fastify that gets the same bytes from Redis';
/** The ceilings: what asks nobody and knows nothing, with as many headers. */
const FASTIFY = 'bare Fastify that sends a constant with our headers';
const HTTP = 'bare node:http that sends a constant with our headers';
/** Said of every answer by Node itself. */
const NODES_HEADERS: readonly string[] = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

interface Target {
  /** Of `requests`, the next. */
  next: number;
  readonly port: number;
  readonly pid: number;
  readonly requests: readonly string[];
  readonly status: number;
}

if (ANSWERS <= FOUND_ONCE) throw new Error(`--answers must be more than ${FOUND_ONCE}`);
const product = await Product.start();
const load = await QueryLoad.start(LOAD_CORE);
const bare = await startProgram('bench/servers/cached-bytes.server.js', SERVER_CORE);
const turns = new Map<string, { requests: number; cpuSeconds: number }[]>();

try {
  pin(product.redis.process.pid, LOAD_CORE);
  const environment = { REDIS_TIMEOUT_MS: String(REDIS_TIMEOUT_MS) };
  const computing = await product.role('api', { cores: LOAD_CORE, environment });
  const api = await product.role('api', { cores: SERVER_CORE, environment });
  const targets = await prepare(api, computing);
  progress('compiling: one turn of each, not counted');
  for (const target of targets.values()) await turnOf(target);
  const lookups = () => api.metric('tidemark_query_shared_cache_lookups_total', 'outcome="hit"');
  const foundBefore = await lookups();
  const result = await measure({
    name: 'cached answers over HTTP',
    unit: 'answers',
    contenders: [...targets].map(([name, target]) => timed(name, target)),
    ratios: [
      { of: COLD, over: BARE, atLeast: 0.85 },
      { of: WARM, over: BARE, atLeast: 1.2 },
      { of: KNOWN, over: BARE, atLeast: 1.2 },
      ...[FASTIFY, HTTP].map((of) => ({ of, over: BARE })),
      ...[FASTIFY, HTTP].map((over) => ({ of: WARM, over })),
    ],
    rounds: ROUNDS,
  });
  const cold = turns.get(COLD)!.reduce((sum, { requests }) => sum + requests, 0);
  const found = (await lookups()) - foundBefore;
  if (found < cold) throw new Error(`Void: of ${cold} answers Redis had only ${found}`);
  const byCpu = await measure({
    name: 'the same turns per second of CPU that the server spent',
    unit: 'answers',
    contenders: [...targets.keys()].map(charged),
    ratios: [
      ...[COLD, WARM, KNOWN, FASTIFY, HTTP].map((of) => ({ of, over: BARE })),
      ...[FASTIFY, HTTP].map((over) => ({ of: WARM, over })),
    ],
    rounds: ROUNDS,
  });
  report('query-http', [result, byCpu]);
} finally {
  bare.process.kill('SIGTERM');
  load.stop();
  await product.stop();
}

/** A month by day; what differs changes no number, so that all answers have the same bytes. */
function questionOf(n: number, until: number): object {
  return {
    metrics: ['visitors', 'visits', 'pageviews', 'bounce_rate'],
    dimensions: ['time:day'],
    date_range: [until - DAYS * DAY_MS, until].map((at) => new Date(at).toISOString()),
    pagination: { limit: 1_000 + (n % 9_000) },
    week_start: n < 9_000 ? 'monday' : 'sunday',
  };
}

async function prepare(api: RoleProcess, computing: RoleProcess): Promise<Map<string, Target>> {
  const site = await api.createSite('shop.example');
  const key = await api.issueKey('stats:read');
  const until = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  await fillReadModels(product.pool, { sites: [{ site, sessions: SESSIONS }], days: DAYS, until });
  await setCheckpoints(product.pool);
  const requestFor = (n: number, headers = {}) =>
    requestOf({ site, key, body: questionOf(n, until), headers });
  const ours = { port: api.port, pid: api.pid };

  const first = await computing.call(`/v1/sites/${site}/query`, { key, body: questionOf(0, until) });
  const [text, etag] = [await first.text(), first.headers.get('etag')!];
  progress(`answers of ${text.length} bytes; ${ANSWERS} of them are computed first`);
  const cold = Array.from({ length: ANSWERS }, (_, n) => requestFor(n + 1));
  const once = { connections: 16, seconds: 600, requestsMax: ANSWERS };
  for (const { port } of [computing, api]) await load.run({ port, requests: cold, status: 200, ...once });

  const redis = new Redis(product.redis.url);
  const keys = Array.from({ length: ANSWERS }, (_, n) => `bare:${n}`);
  for (const name of keys) await redis.set(name, text);
  redis.disconnect();
  const headers = [...first.headers].filter(([name]) => !NODES_HEADERS.includes(name)).flat();
  const whatIsSent = { redisUrl: product.redis.url, keys, text, headers };
  const { port, plainPort } = await told<{ port: number; plainPort: number }>(bare, whatIsSent);
  const pid = bare.process.pid!;
  const constant = requestFor(0).replace('POST /', 'POST /constant/');
  return new Map([
    [COLD, { ...ours, requests: cold, status: 200, next: 0 }],
    [WARM, { ...ours, requests: [requestFor(0)], status: 200, next: 0 }],
    [KNOWN, { ...ours, requests: [requestFor(0, { 'If-None-Match': etag })], status: 304, next: 0 }],
    [BARE, { port, pid, requests: [requestFor(0)], status: 200, next: 0 }],
    [FASTIFY, { port, pid, requests: [constant], status: 200, next: 0 }],
    [HTTP, { port: plainPort, pid, requests: [requestFor(0)], status: 200, next: 0 }],
  ]);
}

/** Goes on where the last has ended. */
async function turnOf(target: Target) {
  const { port, pid, requests, status, next: first } = target;
  const cpuBefore = cpuSeconds(pid);
  const limits = { connections: CONNECTIONS, seconds: ROUND_SECONDS };
  const done = await load.run({ port, requests, status, first, ...limits });
  target.next = (first + done.sent) % requests.length;
  return { ...done, cpuSeconds: cpuSeconds(pid) - cpuBefore };
}

function timed(name: string, target: Target): Contender {
  return {
    name,
    async run() {
      const turn = await turnOf(target);
      const { answered, seconds } = turn;
      turns.set(name, [...(turns.get(name) ?? []), { requests: answered, cpuSeconds: turn.cpuSeconds }]);
      progress(`${name}: ${Math.round(answered / seconds)}/s, p99 ${turn.latenciesMs[99]!.toFixed(1)} ms`);
      return { amount: answered, seconds };
    },
  };
}

/** The same turns again, by what they cost the server. */
function charged(name: string): Contender {
  return {
    name,
    run() {
      const { requests, cpuSeconds: spent } = turns.get(name)!.shift()!;
      return Promise.resolve({ amount: requests, seconds: spent });
    },
  };
}
