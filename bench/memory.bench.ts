// Resident memory of intake and projector under full load: each a process of its own on one data
// directory, as many events as intake takes, for --minutes=10. Peaks and the drift between the second
// minute and the last are told; nothing here is a ratio. --visitors=200000; --props-chars=0 of properties
// an event.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtApp } from '../test/servers/built-app.js';
import { freePort } from '../test/servers/free-port.js';
import { random } from '../test/traffic.js';
import { type Fact, median, report } from './measure.js';
import { option } from './option.js';
import { startCommand } from './start-command.js';

const MINUTES = option('minutes', 2);
const VISITORS = option('visitors', 200_000);
const PROPS_CHARS = option('props-chars', 0);
const SAMPLE_MS = 5_000;
const CLIENTS = 8;
const EVENTS_PER_REQUEST = 25;
const OPERATOR_KEY = 'operator-key-of-the-memory-bench-0123456789';
const PROPERTY_CHARS = 1_000;
const ports = { ingest: await freePort(), projector: await freePort() };
const SITES = 20;

const directory = mkdtempSync(join(tmpdir(), 'tidemark-memory-'));
const tree = await builtApp();
const { environment, nodeFlags } = startCommand();

function start(role: string, port: number): ChildProcess {
  const child = spawn(process.execPath, [...nodeFlags, join(tree, 'src/main.js')], {
    env: {
      ...process.env,
      ...environment,
      ROLE: role,
      PORT: String(port),
      DATA_DIR: directory,
      OPERATOR_KEY,
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => process.stderr.write(`${role}: ${line}\n`));
  process.once('exit', () => child.kill());
  return child;
}

/** An interrupted benchmark takes its processes along. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function ready(child: ChildProcess, port: number): Promise<void> {
  while (!(await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null))?.ok) {
    if (child.exitCode !== null) throw new Error('A process ended at boot');
    await sleep(100);
  }
}

const post = (path: string, body: unknown) =>
  fetch(`http://127.0.0.1:${ports.ingest}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const megabytesOf = (line: 'VmRSS' | 'VmHWM', { pid }: ChildProcess): number =>
  Number(new RegExp(`${line}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1_024;
const residentMegabytes = (child: ChildProcess): number => megabytesOf('VmRSS', child);
/** Also between two samples. */
const peakMegabytes = (child: ChildProcess): number => megabytesOf('VmHWM', child);

async function load(until: number, seed: number): Promise<number> {
  const next = random(seed);
  let events = 0;
  while (Date.now() < until) {
    const batch = Array.from({ length: EVENTS_PER_REQUEST }, () => ({
      site: `site-${Math.floor(next() ** 2 * SITES)}.example`,
      visitorId: `visitor ${Math.floor(next() * VISITORS)}`,
      userAgent: `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + Math.floor(next() * 40)}.0.0.0 Safari/537.36`,
      url: `https://site.example/products/${Math.floor(next() * 5_000)}?utm_source=newsletter`,
      ...(PROPS_CHARS > 0 ? { props: propsOf(next) } : {}),
    }));
    const response = await post('/v1/events', batch);
    await response.arrayBuffer();
    if (response.status === 202) events += EVENTS_PER_REQUEST;
    else await sleep(100);
  }
  return events;
}

/** Of the partition that is farthest behind. */
async function lagSeconds(): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${ports.projector}/metrics`)).text();
  const lags = [...metrics.matchAll(/^tidemark_projections_lag_seconds{.*} (.+)$/gm)].map(([, lag]) =>
    Number(lag),
  );
  return Math.max(...lags);
}

function propsOf(next: () => number): Record<string, string> {
  const text = `${next()} `.repeat(PROPERTY_CHARS).slice(0, PROPERTY_CHARS);
  return Object.fromEntries(
    Array.from({ length: Math.ceil(PROPS_CHARS / PROPERTY_CHARS) }, (_, index) => [
      `property_${index}`,
      text,
    ]),
  );
}

const ingest = start('ingest,api', ports.ingest);
await ready(ingest, ports.ingest);
const projector = start('projector', ports.projector);
await ready(projector, ports.projector);
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
  const facts: Fact[] = [
    { name: 'minutes', value: MINUTES, unit: '' },
    {
      name: `taken, ${PROPS_CHARS} characters of properties each`,
      value: events / MINUTES / 60,
      unit: 'events/s',
    },
  ];
  for (const role of ['ingest', 'projector'] as const) {
    const between = (from: number, to: number): number[] =>
      samples.filter(({ minute }) => minute >= from && minute < to).map((sample) => sample[role]);
    facts.push(
      {
        name: `${role}, peak`,
        value: peakMegabytes(role === 'ingest' ? ingest : projector),
        unit: 'MB resident',
      },
      { name: `${role}, median of the second minute`, value: median(between(1, 2)), unit: 'MB resident' },
      {
        name: `${role}, median of the last minute`,
        value: median(between(MINUTES - 1, Number.POSITIVE_INFINITY)),
        unit: 'MB resident',
      },
    );
  }
  facts.push({ name: 'projector, behind at the end', value: await lagSeconds(), unit: 's' });
  report('memory', [], facts);
} finally {
  for (const child of [projector, ingest]) {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
  rmSync(directory, { recursive: true, force: true });
}
