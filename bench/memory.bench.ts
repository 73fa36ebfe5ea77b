// Resident memory of intake and projector under full load: each a process of its own on one data
// directory, as many events as intake takes, for --minutes=10. Peaks and the drift between the second
// minute and the last are told; nothing here is a ratio.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtApp } from '../test/servers/built-app.js';
import { random } from '../test/traffic.js';

const MINUTES = Number(process.argv.find((argument) => argument.startsWith('--minutes='))?.slice(10) ?? 2);
const SAMPLE_MS = 5_000;
const CLIENTS = 8;
const EVENTS_PER_REQUEST = 25;
const OPERATOR_KEY = 'operator-key-of-the-memory-bench-0123456789';
const PORTS = { ingest: 3801, projector: 3802 };
const SITES = 20;
const VISITORS = Number(
  process.argv.find((argument) => argument.startsWith('--visitors='))?.slice(11) ?? 200_000,
);
/** As `npm start` has them. */
const NODE_FLAGS = ['--max-old-space-size=384', '--max-semi-space-size=16'];

const directory = mkdtempSync(join(tmpdir(), 'tidemark-memory-'));
const tree = await builtApp();

function start(role: string, port: number): ChildProcess {
  const child = spawn(process.execPath, [...NODE_FLAGS, join(tree, 'src/main.js')], {
    env: {
      ...process.env,
      ROLE: role,
      PORT: String(port),
      DATA_DIR: directory,
      OPERATOR_KEY,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => process.stderr.write(`${role}: ${line}\n`));
  return child;
}

async function ready(port: number): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null))?.ok) await sleep(100);
}

const post = (path: string, body: unknown) =>
  fetch(`http://127.0.0.1:${PORTS.ingest}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const residentMegabytes = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;

async function load(until: number, seed: number): Promise<number> {
  const next = random(seed);
  let events = 0;
  while (Date.now() < until) {
    const batch = Array.from({ length: EVENTS_PER_REQUEST }, () => ({
      site: `site-${Math.floor(next() ** 2 * SITES)}.example`,
      visitorId: `visitor ${Math.floor(next() * VISITORS)}`,
      userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + Math.floor(next() * 40)}.0.0.0 Safari/537.36`,
      url: `https://site.example/products/${Math.floor(next() * 5_000)}?utm_source=newsletter`,
    }));
    const response = await post('/v1/events', batch);
    await response.arrayBuffer();
    if (response.status === 202) events += EVENTS_PER_REQUEST;
    else await sleep(100);
  }
  return events;
}

const ingest = start('ingest,api', PORTS.ingest);
await ready(PORTS.ingest);
const projector = start('projector', PORTS.projector);
await ready(PORTS.projector);
try {
  for (let site = 0; site < SITES; site++) await post('/v1/sites', { domain: `site-${site}.example` });
  const startedAt = Date.now();
  const until = startedAt + MINUTES * 60_000;
  const loading = Array.from({ length: CLIENTS }, (_, index) => load(until, index));
  const samples: { minute: number; ingest: number; projector: number }[] = [];
  while (Date.now() < until) {
    await sleep(SAMPLE_MS);
    const minute = (Date.now() - startedAt) / 60_000;
    samples.push({ minute, ingest: residentMegabytes(ingest), projector: residentMegabytes(projector) });
  }
  const events = (await Promise.all(loading)).reduce((sum, one) => sum + one, 0);
  process.stdout.write(`${events} events in ${MINUTES} minutes, ${Math.round(events / MINUTES / 60)}/s\n`);
  for (const role of ['ingest', 'projector'] as const) {
    const second = median(
      samples.filter(({ minute }) => minute >= 1 && minute < 2).map((sample) => sample[role]),
    );
    const last = median(samples.filter(({ minute }) => minute >= MINUTES - 1).map((sample) => sample[role]));
    const peak = Math.max(...samples.map((sample) => sample[role]));
    process.stdout.write(
      `${role}: peak ${peak.toFixed(0)} MB, second minute ${second.toFixed(0)} MB, last minute ${last.toFixed(0)} MB\n`,
    );
  }
} finally {
  for (const child of [projector, ingest]) {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  rmSync(directory, { recursive: true, force: true });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
