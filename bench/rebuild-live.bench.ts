// What a rebuild costs those who look on: the product as one process under a steady load, how fresh its
// numbers are without a rebuild and while one runs, by marker events looked for every 20 ms in the rollup
// that queries read; and how much memory the building processes take. --events=1000000 of history,
// --rate=1000 events/s, --rounds=3.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { OPERATOR_KEY, OperatedProduct } from '../test/e2e/operated-product.js';
import { builtApp } from '../test/servers/built-app.js';
import { type Fact, median, quantile, report } from './measure.js';
import { option } from './option.js';
import type { LoadCommand, LoadResult } from './servers/http-load.js';
import { startCommand } from './start-command.js';

const EVENTS = option('events', 1_000_000);
const EVENTS_PER_SECOND = option('rate', 1_000);
const ROUNDS = option('rounds', 3);
const EVENTS_PER_REQUEST = 50;
const SITES = 40;
const LOAD_SECONDS = 5;
const MARKER_INTERVAL_MS = 100;
const LOOK_INTERVAL_MS = 20;
const MEMORY_INTERVAL_MS = 250;

const { environment, nodeFlags } = startCommand();
const product = await OperatedProduct.start({
  ...environment,
  NODE_OPTIONS: nodeFlags.join(' '),
  PROJECTOR_FLUSH_INTERVAL_MS: '1000',
});
const load = spawn(process.execPath, [join(await builtApp(), 'bench/servers/http-load.js')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const loadLines = createInterface({ input: load.stdout })[Symbol.asyncIterator]();
const sites: string[] = [];
const { pool } = product.postgres;
let marker = '';
let peakMegabytes = 0;

try {
  for (let site = 0; site < SITES; site++) sites.push(await createSite(`shop-${site}.example`));
  marker = await createSite('marker.example');
  let history = 0;
  while (history < EVENTS) {
    history += (await send({ seconds: LOAD_SECONDS })).acknowledgedInAll * EVENTS_PER_REQUEST;
    process.stderr.write(`\r${history.toLocaleString('en')} events of history`);
  }
  process.stderr.write('\n');
  await product.quiet();
  const without: number[] = [];
  const during: number[] = [];
  const ratios: number[] = [];
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const rebuilt = await underLoad(async () => {
      const startedAt = performance.now();
      const { id, version } = await product.rebuild();
      const { state, error } = await product.rebuildEnded(id);
      if (state !== 'caught_up') throw new Error(`The rebuild is ${state}: ${error}`);
      return { version, seconds: (performance.now() - startedAt) / 1_000 };
    });
    await product.said('DELETE', `/admin/v1/projections/sessions/versions/${rebuilt.done.version}`);
    // As long as the rebuild, so that as many markers are behind either figure.
    const alone = await underLoad(() => sleep(rebuilt.done.seconds * 1_000));
    without.push(quantile(alone.freshnessMs, 0.99));
    during.push(quantile(rebuilt.freshnessMs, 0.99));
    ratios.push(during.at(-1)! / without.at(-1)!);
    rates.push(history / rebuilt.done.seconds);
  }
  const facts: Fact[] = [
    { name: 'history', value: history, unit: 'events' },
    { name: 'steady load', value: EVENTS_PER_SECOND, unit: 'events/s' },
    { name: 'freshness without a rebuild, p99', value: median(without), unit: 'ms' },
    { name: 'freshness during one, p99', value: median(during), unit: 'ms' },
    { name: 'during ÷ without (goal: at most 1.5)', value: median(ratios), unit: '' },
    { name: 'rebuilt under that load, request to caught up', value: median(rates), unit: 'events/s' },
    { name: 'peak memory of a building process', value: peakMegabytes, unit: 'MB resident' },
  ];
  report('rebuild-live', [], facts);
} finally {
  load.kill('SIGTERM');
  await product.stop();
}

async function createSite(domain: string): Promise<string> {
  return (await product.said<{ id: string }>('POST', '/v1/sites', { domain })).id;
}

async function send(limits: Pick<LoadCommand, 'seconds' | 'eventsPerSecondMax'>): Promise<LoadResult> {
  const command: LoadCommand = {
    port: Number(new URL(product.url).port),
    key: OPERATOR_KEY,
    eventsPerRequest: EVENTS_PER_REQUEST,
    connections: 8,
    sites,
    ...limits,
  };
  load.stdin.write(`${JSON.stringify(command)}\n`);
  const { value } = await loadLines.next();
  return JSON.parse(value as string) as LoadResult;
}

/** Freshness while `work` is done and events come in. */
async function underLoad<T>(work: () => Promise<T>): Promise<{ done: T; freshnessMs: number[] }> {
  const over = new AbortController();
  const sending = (async () => {
    while (!over.signal.aborted) await send({ seconds: 2, eventsPerSecondMax: EVENTS_PER_SECOND });
  })();
  const watching = watchMemory(over.signal);
  const marking = mark(over.signal);
  const done = await work();
  over.abort();
  await Promise.all([sending, watching]);
  return { done, freshnessMs: await marking };
}

/** From the acknowledgement of a single event until the rollup holds it. */
async function mark(signal: AbortSignal): Promise<number[]> {
  const waiting: number[] = [];
  const freshnessMs: number[] = [];
  let seen = await markersCounted();
  const sending = (async () => {
    for (let index = 0; !signal.aborted; index++) {
      await product.said('POST', '/v1/events', { site: marker, name: 'marker', visitorId: `${Date.now()}` });
      waiting.push(performance.now());
      await sleep(MARKER_INTERVAL_MS);
    }
  })();
  while (!signal.aborted || waiting.length > 0) {
    await sleep(LOOK_INTERVAL_MS);
    const now = await markersCounted();
    for (const acknowledgedAt of waiting.splice(0, now - seen)) {
      freshnessMs.push(performance.now() - acknowledgedAt);
    }
    seen = now;
  }
  await sending;
  return freshnessMs;
}

async function markersCounted(): Promise<number> {
  const { rows } = await pool.query<{ events: number }>(
    'SELECT coalesce(sum(events), 0)::float8 AS events FROM traffic_v1 WHERE site = $1',
    [marker],
  );
  return rows[0]!.events;
}

async function watchMemory(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const pid of builders()) peakMegabytes = Math.max(peakMegabytes, megabytesOf(pid));
    await sleep(MEMORY_INTERVAL_MS);
  }
}

function builders(): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    return textOf(`/proc/${name}/cmdline`).includes('rebuild-partition');
  });
}

function megabytesOf(pid: string): number {
  return Number(/VmHWM:\s+(\d+)/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
}

/** Empty where the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
