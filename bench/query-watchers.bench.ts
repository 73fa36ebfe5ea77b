// What watchers cost: event streams of one site's realtime numbers, one and then a thousand, while events
// arrive, so that every beat has something to say. Memory of the api process, its processor time, and what
// PostgreSQL is asked, which must be the same. --watchers=1000, --seconds=20 of each.
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fact, report } from './measure.js';
import { option } from './option.js';
import { cpuSeconds, Product, progress, residentMegabytes, type RoleProcess } from './product.js';

const WATCHERS = option('watchers', 1_000);
const SECONDS = option('seconds', 20);
const STREAMS_PER_KEY = 100;
const EVENT_INTERVAL_MS = 200;
const SETTLE_MS = 3_000;
const OPENED_AT_ONCE = 50;
/** Twice: the first runs finalizers. */
const COLLECTIONS = 2;
const COLLECTION_MS = 1_000;
const STATEMENTS_TIMES_MAX = 1.2;

interface Watched {
  readonly residentMegabytes: number;
  readonly cores: number;
  readonly snapshotsPerSecond: number;
  /** Transactions of all processes. */
  readonly transactionsPerSecond: number;
  /** To each watcher. */
  readonly messagesPerSecond: number;
}

const product = await Product.start();
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
const streams: IncomingMessage[] = [];
const stop = new AbortController();
let messages = 0;
try {
  const backend = await product.role('ingest,projector');
  const api = await product.role('api', {
    environment: { REALTIME_STREAMS_MAX: String(WATCHERS) },
    program: 'bench/servers/collect-on-signal.js',
  });
  const site = await api.createSite('shop.example');
  const arriving = arrive(backend, site);
  await watch(api, { site, watchers: 1 });
  progress('one watcher');
  await sleep(SETTLE_MS);
  const one = await watched(api);
  await watch(api, { site, watchers: WATCHERS - 1 });
  progress(`${WATCHERS} watchers`);
  await sleep(SETTLE_MS);
  const many = await watched(api);
  stop.abort();
  await arriving;
  report('query-watchers', [], factsOf(one, many));
} finally {
  stop.abort();
  for (const stream of streams) stream.destroy();
  agent.destroy();
  await product.stop();
}

/** Some to a key, as a key may have so many. */
async function watch(
  api: RoleProcess,
  { site, watchers }: { site: string; watchers: number },
): Promise<void> {
  let key = '';
  for (let opened = 0; opened < watchers; opened += OPENED_AT_ONCE) {
    if (opened % STREAMS_PER_KEY === 0) key = await api.issueKey('stats:read');
    const count = Math.min(OPENED_AT_ONCE, watchers - opened);
    const opening = Array.from({ length: count }, () => open(api, { site, key }));
    streams.push(...(await Promise.all(opening)));
  }
}

function open(api: RoleProcess, { site, key }: { site: string; key: string }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
    const path = `/v1/sites/${site}/realtime`;
    get({ host: '127.0.0.1', port: api.port, path, headers, agent }, (stream) => {
      if (stream.statusCode !== 200) {
        reject(new Error(`A stream is answered ${stream.statusCode}`));
        return;
      }
      stream.setEncoding('latin1').on('data', (text: string) => {
        if (text.includes('data: ')) messages++;
      });
      stream.on('error', () => {});
      resolve(stream);
    }).on('error', reject);
  });
}

async function arrive(backend: RoleProcess, site: string): Promise<void> {
  let known = false;
  for (let n = 0; !stop.signal.aborted; n++) {
    const body = { site, visitorId: `visitor-${n % 50}`, url: `https://shop.example/${n % 20}` };
    const { status } = await backend.call('/v1/events', { body: [body] });
    // It hears of the site a moment after the process that made it.
    if (status !== 202 && (status !== 404 || known)) throw new Error(`An event is answered ${status}`);
    known ||= status === 202;
    await sleep(EVENT_INTERVAL_MS);
  }
}

async function watched(api: RoleProcess): Promise<Watched> {
  const count = async () => ({
    snapshots: await api.metric('tidemark_query_realtime_snapshot_seconds_count'),
    transactions: await transactions(),
    messages,
    cpu: cpuSeconds(api.pid),
    at: performance.now(),
  });
  const before = await count();
  await sleep(SECONDS * 1_000);
  const after = await count();
  const open = streams.filter((stream) => !stream.destroyed && !stream.complete).length;
  if (open < streams.length) throw new Error(`Only ${open} of ${streams.length} streams are still open`);
  const perSecond = (name: keyof typeof before): number =>
    (after[name] - before[name]) / ((after.at - before.at) / 1_000);
  for (let times = 0; times < COLLECTIONS; times++) {
    process.kill(api.pid, 'SIGUSR2');
    await sleep(COLLECTION_MS);
  }
  return {
    residentMegabytes: residentMegabytes(api.pid),
    cores: perSecond('cpu'),
    snapshotsPerSecond: perSecond('snapshots'),
    transactionsPerSecond: perSecond('transactions'),
    messagesPerSecond: perSecond('messages') / streams.length,
  };
}

/** PostgreSQL tells them a second late. */
async function transactions(): Promise<number> {
  const { rows } = await product.pool.query<{ done: number }>(
    `SELECT sum(xact_commit + xact_rollback)::float8 AS done FROM pg_stat_database WHERE datname = current_database()`,
  );
  return rows[0]!.done;
}

function factsOf(one: Watched, many: Watched): Fact[] {
  const both = (name: string, of: keyof Watched, unit: string): Fact[] => [
    { name: `${name}, 1 watcher`, value: one[of], unit },
    { name: `${name}, ${WATCHERS} watchers`, value: many[of], unit },
  ];
  const grownKilobytes = (many.residentMegabytes - one.residentMegabytes) * 1_024;
  return [
    ...both('memory of the api process', 'residentMegabytes', 'MB resident'),
    { name: 'of each further watcher', value: grownKilobytes / (WATCHERS - 1), unit: 'KB' },
    ...both('its processor time', 'cores', 'cores'),
    ...both('messages to each', 'messagesPerSecond', 'messages/s'),
    ...both('snapshots', 'snapshotsPerSecond', 'statements/s'),
    ...both('of all that PostgreSQL is asked', 'transactionsPerSecond', 'transactions/s'),
    {
      name: 'statements for many ÷ for one',
      value: many.snapshotsPerSecond / one.snapshotsPerSecond,
      unit: 'times',
      atMost: STATEMENTS_TIMES_MAX,
    },
  ];
}
