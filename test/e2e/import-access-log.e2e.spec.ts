// The first real input: a public access log goes through bin/tidemark into the whole product (embedded
// log, embedded PostgreSQL, its own data directory), and every answer is held to a count made here, by
// other means: one regular expression and Maps. ACCESS_LOG_SAMPLE names a bigger log to do it with too.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Child } from '../crash/child.js';
import { builtApp } from '../servers/built-app.js';
import { freePort } from '../servers/free-port.js';
import { countAccessLog, type LogCounts } from './naive-access-log-count.js';

const ROOT = resolve(__dirname, '../..');
const SAMPLE = join(ROOT, 'examples/access.log');
const KEY = 'e2e-operator-key-of-at-least-32-characters';
const BOOT_TIMEOUT_MS = 120_000;
const CAUGHT_UP_TIMEOUT_MS = 60_000;

jest.setTimeout(300_000);

let directory: string;
let app: Child;
let port: number;
let url: string;
let tidemark: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-import-'));
  tidemark = await installBin();
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
  await startApp();
});
afterAll(async () => {
  await app?.kill('SIGTERM');
  if (directory) rmSync(directory, { recursive: true, force: true });
});

async function startApp(): Promise<void> {
  app = await Child.start('src/main.js', {
    environment: {
      DATA_DIR: join(directory, 'data'),
      PORT: String(port),
      OPERATOR_KEY: KEY,
      LOG_LEVEL: 'warn',
    },
  });
  await until(async () => (await fetch(`${url}/health/ready`).catch(() => null))?.status === 200, {
    what: () => `ready; it said ${app.stderr}${app.lines.join('\n')}`,
    timeoutMs: BOOT_TIMEOUT_MS,
  });
}

/** bin/tidemark as it lies in a checkout, beside a `dist` made of today's sources. */
async function installBin(): Promise<string> {
  const install = join(directory, 'install');
  mkdirSync(join(install, 'bin'), { recursive: true });
  writeFileSync(join(install, 'package.json'), '{"type":"module"}');
  copyFileSync(join(ROOT, 'bin/tidemark'), join(install, 'bin/tidemark'));
  symlinkSync(join(await builtApp(), 'src'), join(install, 'dist'));
  return join(install, 'bin/tidemark');
}

async function until(
  condition: () => Promise<boolean>,
  { what, timeoutMs }: { what: () => string; timeoutMs: number },
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what()}`);
    await sleep(100);
  }
}

function startCli(args: readonly string[]): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(tidemark, [...args, '--url', url], { env: { PATH, OPERATOR_KEY: KEY } });
}

async function cli(args: readonly string[], stdin?: Buffer): Promise<unknown> {
  const child = startCli([...args, '--json']);
  let [out, err] = ['', ''];
  child.stdout!.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (err += text.toString()));
  child.stdin!.end(stdin);
  const code = await new Promise((ended) => child.on('close', ended));
  if (code !== 0) throw new Error(`tidemark ${args.join(' ')} ended with ${String(code)}: ${err}${out}`);
  return JSON.parse(out);
}

const createSite = (domain: string) => cli(['sites', 'create', domain]);

interface Account {
  readonly lines: number;
  readonly imported: number;
  readonly duplicates: number;
  readonly bots: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

const importLog = async (file: string, site: string, stdin?: Buffer): Promise<Account> =>
  (await cli(['import', 'access-log', file, '--site', site], stdin)) as Account;

interface Answer {
  readonly results: { readonly dimensions: string[]; readonly metrics: number[] }[];
  readonly meta: { readonly watermark: string | null };
}

async function ask(site: string, query: object): Promise<Answer> {
  const response = await fetch(`${url}/v1/sites/${site}/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(query),
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** Everything received until now is in the answers afterwards. */
async function caughtUp(site: string): Promise<void> {
  const now = Date.now();
  let watermark: string | null = null;
  await until(
    async () => {
      ({ watermark } = (await ask(site, { metrics: ['events'], date_range: 'day' })).meta);
      return watermark !== null && Date.parse(watermark) >= now;
    },
    { what: () => `a watermark after ${now}: ${watermark}`, timeoutMs: CAUGHT_UP_TIMEOUT_MS },
  );
}

/** Answers of every kind, in the shape of the naive count. */
async function answers(site: string, { days }: LogCounts, bots: boolean) {
  const base = { date_range: [days[0]!, days.at(-1)!], include: { bots } };
  const rows = async (query: object) =>
    (await ask(site, { ...base, ...query })).results.map(
      ({ dimensions, metrics }) => [...dimensions, ...metrics] as const,
    );
  const top = (dimension: string, metrics: string[]) =>
    rows({ metrics, dimensions: [dimension], pagination: { limit: 10 } });
  const metrics = [
    'visitors',
    'visits',
    'pageviews',
    'views_per_visit',
    'bounce_rate',
    'visit_duration',
    'events',
  ];
  return {
    totals: (await rows({ metrics }))[0],
    byDay: (
      await rows({
        metrics: ['visitors', 'visits', 'pageviews'],
        dimensions: ['time:day'],
        order_by: [['time:day', 'asc']],
      })
    ).filter((row) => row[3] !== 0),
    pages: await top('event:page', ['pageviews', 'visitors']),
    entryPages: await top('visit:entry_page', ['visits', 'bounce_rate']),
    exitPages: await top('visit:exit_page', ['visits']),
    referrers: await top('visit:referrer', ['visits', 'visitors']),
  };
}

type Row = readonly (string | number)[];

/** The ten best of a list; which of those that tie come in is open, what is said of each is not. */
function expectTop(answered: readonly Row[], counted: ReadonlyMap<string, readonly number[]>): void {
  for (const [name, ...metrics] of answered)
    expect([name, ...metrics]).toEqual([name, ...counted.get(String(name))!]);
  const best = [...counted.values()].map(([first]) => first!).sort((a, b) => b - a);
  expect(answered.map(([, first]) => first)).toEqual(best.slice(0, 10));
}

async function expectAnswers(site: string, text: string): Promise<void> {
  await caughtUp(site);
  for (const bots of [true, false]) {
    const counted = countAccessLog(text, { domain: site, bots });
    const answered = await answers(site, counted, bots);
    expect(answered.totals).toEqual(counted.totals);
    expect(answered.byDay).toEqual(counted.byDay);
    expectTop(answered.pages, counted.pages);
    expectTop(answered.entryPages, counted.entryPages);
    expectTop(answered.exitPages, counted.exitPages);
    expectTop(answered.referrers, counted.referrers);
  }
}

function expectAccount(account: Account, text: string, site: string): void {
  const all = countAccessLog(text, { domain: site, bots: true });
  const people = countAccessLog(text, { domain: site, bots: false });
  expect(account).toMatchObject({
    complete: true,
    lines: all.lines,
    bots: all.pageviews - people.pageviews,
    rejected: {},
  });
  expect(account.imported + account.duplicates).toBe(all.pageviews);
}

describe('an access log, imported', () => {
  const sample = readFileSync(SAMPLE, 'latin1');
  const bigger = process.env['ACCESS_LOG_SAMPLE'];

  it.each([
    ['examples/access.log', SAMPLE, 'sample.example'],
    ...(bigger ? [['ACCESS_LOG_SAMPLE', bigger, 'semicomplete.com']] : []),
  ])('gives the numbers of an independent count, twice: %s', async (_, file, site) => {
    const text = readFileSync(file, 'latin1');
    await createSite(site);
    const account = await importLog(file, site);
    expectAccount(account, text, site);
    expect(account.duplicates).toBe(0);
    await expectAnswers(site, text);

    expectAccount(await importLog(file, site), text, site);
    await expectAnswers(site, text);
  });

  it('gives the same numbers gzipped, from standard input, and after a part of it', async () => {
    const site = 'variants.example';
    await createSite(site);
    const gzipped = join(directory, 'access.log.gz');
    writeFileSync(gzipped, gzipSync(Buffer.from(sample, 'latin1')));
    const part = sample.split('\n').slice(0, 1_200).join('\n');
    expectAccount(await importLog('-', site, Buffer.from(part, 'latin1')), part, site);
    expectAccount(await importLog(gzipped, site), sample, site);
    await expectAnswers(site, sample);
    expectAccount(await importLog('-', site, readFileSync(gzipped)), sample, site);
    await expectAnswers(site, sample);
  });

  describe('interrupted', () => {
    const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun'];
    const text = months.map((month) => sample.replaceAll('/May/', `/${month}/`)).join('');
    let cutImport: ChildProcess;
    afterEach(() => void cutImport.kill('SIGKILL'));

    const pageviews = async (site: string): Promise<number> => {
      const query = { metrics: ['pageviews'], date_range: 'all', include: { bots: true } };
      return (await ask(site, query)).results[0]?.metrics[0] ?? 0;
    };

    /** An import that has sent something and waits for the rest of its input. */
    async function beginImport(site: string): Promise<{ ended: Promise<unknown> }> {
      await createSite(site);
      cutImport = startCli(['import', 'access-log', '-', '--site', site]);
      cutImport.stdin!.on('error', () => {});
      cutImport.stdin!.write(Buffer.from(text.slice(0, text.length * 0.7), 'latin1'));
      const ended = new Promise((close) => cutImport.on('close', (code, signal) => close(signal ?? code)));
      await until(async () => (await pageviews(site)) > 0, {
        what: () => 'a first batch',
        timeoutMs: CAUGHT_UP_TIMEOUT_MS,
      });
      return { ended };
    }

    it('counts once what was imported before a SIGKILL, when run again', async () => {
      const site = 'killed.example';
      const { ended } = await beginImport(site);
      cutImport.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      await caughtUp(site);
      expect(await pageviews(site)).toBeLessThan(
        countAccessLog(text, { domain: site, bots: true }).pageviews,
      );

      const file = join(directory, 'half-year.log');
      writeFileSync(file, text, 'latin1');
      expectAccount(await importLog(file, site), text, site);
      await expectAnswers(site, text);
    });

    it('goes on by itself when the server is killed and comes back', async () => {
      const site = 'restarted.example';
      const { ended } = await beginImport(site);
      await app.kill('SIGKILL');
      cutImport.stdin!.end(Buffer.from(text.slice(text.length * 0.7), 'latin1'));
      await startApp();
      expect(await ended).toBe(0);
      await expectAnswers(site, text);
    });
  });
});
