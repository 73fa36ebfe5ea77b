import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliOptions, runAgainst } from '../../../test/running-cli.js';

const BYTES = Buffer.from(Array.from({ length: 5_000 }, (_, index) => `{"n":${index}}\n`).join(''));
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly body: unknown;
}

/** Serves one job, as it says in turn, and its result, a piece of which may be all that arrives. */
class ExportServer {
  readonly asked: Asked[] = [];
  /** What the job is, one answer after the other; the last again and again. */
  jobs: object[] = [job('done')];
  /** After how many bytes each connection breaks; the last again and again. */
  breaksAfter: number[] = [Number.POSITIVE_INFINITY];
  bytes = BYTES;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += String(piece);
    const { method = '', url: path = '' } = request;
    const { range } = request.headers;
    this.asked.push({ method, path, range, body: text === '' ? undefined : JSON.parse(text) });
    if (path.endsWith('/result')) return this.#send(response, range);
    const next = this.jobs.length > 1 ? this.jobs.shift() : this.jobs[0];
    response.writeHead(method === 'POST' ? 202 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(next));
  }

  #send(response: ServerResponse, range: string | undefined): void {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = this.bytes.subarray(from);
    const limit = this.breaksAfter.length > 1 ? this.breaksAfter.shift()! : this.breaksAfter[0]!;
    response.writeHead(range === undefined ? 200 : 206, { 'content-length': rest.length });
    if (limit >= rest.length) response.end(rest);
    else response.write(rest.subarray(0, limit), () => setTimeout(() => response.destroy(), 20));
  }
}

const job = (state: string, more: object = {}) => ({
  id: 'j1',
  state,
  progress: { rows: 1_200, rows_expected: 5_000, share: 0.24, seconds_left: 3 },
  ...(state === 'done' && {
    result: {
      href: '/v1/sites/s1/jobs/j1/result',
      ...{ bytes: BYTES.length, rows: 5_000, content_type: 'application/x-ndjson', sha256: SHA256 },
      changed_meanwhile: false,
    },
  }),
  ...more,
});

let server: ExportServer;
let directory: string;
beforeEach(async () => {
  server = new ExportServer();
  await server.start();
  directory = mkdtempSync(join(tmpdir(), 'tidemark-export-'));
});
afterEach(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const output = () => join(directory, 'events.ndjson');
const run = (args: readonly string[], options?: CliOptions) =>
  runAgainst(server.url, ['export', 'shop.example', '--output', output(), ...args], options);

it('makes an export, waits for it, and fetches the file', async () => {
  server.jobs = [job('queued'), job('running'), job('running'), job('done')];
  const { exitCode, out, err } = await run([
    ...['--date-range', '2026-11-01,2026-11-14', '--filter', '["is","visit:country",["DE"]]', '--bots'],
  ]);
  expect([exitCode, out]).toEqual([0, `${output()}: 5,000 rows, 53,890 bytes\n`]);
  expect(readFileSync(output()).equals(BYTES)).toBe(true);
  expect(existsSync(`${output()}.part`)).toBe(false);
  expect(server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/v1/sites/shop.example/exports',
    body: {
      ...{ what: 'events', format: 'ndjson', date_range: ['2026-11-01', '2026-11-14'] },
      ...{ filters: [['is', 'visit:country', ['DE']]], include: { bots: true } },
    },
  });
  expect(err).toMatch(/24 % {2}1,200 rows of about 5,000 {2}0:03 left/);
});

it('goes on where a connection broke, again and again', async () => {
  server.breaksAfter = [10_000, 1, 0, 20_000, Number.POSITIVE_INFINITY];
  const { exitCode, err } = await run(['--job', 'j1']);
  expect(exitCode).toBe(0);
  expect(readFileSync(output()).equals(BYTES)).toBe(true);
  expect(server.asked.filter(({ path }) => path.endsWith('/result')).map(({ range }) => range)).toEqual([
    undefined,
    'bytes=10000-',
    'bytes=10001-',
    'bytes=10001-',
    'bytes=30001-',
  ]);
  expect(err).toMatch(/broke off at byte 10000; going on from there/);
});

it('goes on from what an earlier run left', async () => {
  writeFileSync(`${output()}.part`, BYTES.subarray(0, 777));
  expect((await run(['--job', 'j1'])).exitCode).toBe(0);
  expect(readFileSync(output()).equals(BYTES)).toBe(true);
  expect(server.asked.at(-1)!.range).toBe('bytes=777-');
});

it('gives up on a connection that never brings anything, and says how to go on', async () => {
  server.breaksAfter = [300, 0];
  const { exitCode, err } = await run(['--job', 'j1']);
  expect([exitCode, err]).toEqual([1, expect.stringMatching(/holds what has arrived.*--job j1/)]);
  expect(readFileSync(`${output()}.part`).equals(BYTES.subarray(0, 300))).toBe(true);
  expect(existsSync(output())).toBe(false);
});

it('keeps nothing that is not what the server has', async () => {
  server.bytes = Buffer.from(BYTES);
  server.bytes[3_000] = 0;
  const { exitCode, err } = await run(['--job', 'j1']);
  expect([exitCode, err]).toEqual([1, expect.stringContaining('its digest is')]);
  expect([existsSync(output()), existsSync(`${output()}.part`)]).toEqual([false, false]);
});

it('says everything as one document with --json', async () => {
  server.jobs = [job('queued'), job('running'), job('done')];
  const { exitCode, out, err } = await run(['--json']);
  expect([exitCode, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual({
    ...{
      file: output(),
      job: 'j1',
      bytes: BYTES.length,
      rows: 5_000,
      sha256: SHA256,
      changed_meanwhile: false,
    },
  });
});

it.each<[string, object, RegExp]>([
  ['failed', { problem: { title: 'Too large', detail: 'Narrow the range.' } }, /failed: Narrow the range/],
  ['cancelled', {}, /was cancelled/],
  ['expired', {}, /has expired: export again/],
])('ends with 1 where the job %s', async (state, more, said) => {
  server.jobs = [job('queued'), job(state, more)];
  const { exitCode, err } = await run([]);
  expect([exitCode, err]).toEqual([1, expect.stringMatching(said)]);
});

it('leaves the job alone when nobody waits any more, and says how to fetch it', async () => {
  server.jobs = [job('running')];
  const { exitCode, err } = await run([], { onSleep: (_, interrupt) => interrupt() });
  expect([exitCode, err]).toEqual([
    1,
    expect.stringMatching(/goes on without you.*export shop.example --job j1/),
  ]);
  expect(server.asked.some(({ method }) => method === 'DELETE')).toBe(false);
});

it('writes over nothing, and knows wrong usage', async () => {
  writeFileSync(output(), 'precious');
  const there = await run([]);
  expect([there.exitCode, there.err]).toEqual([1, expect.stringMatching(/is there already/)]);
  expect([readFileSync(output(), 'utf8'), server.asked]).toEqual(['precious', []]);
  expect((await run(['--format', 'xlsx'])).exitCode).toBe(2);
  expect((await runAgainst(server.url, ['export', 's', '--filter', 'x'])).exitCode).toBe(2);
  expect((await runAgainst(server.url, ['export'])).exitCode).toBe(2);
});
