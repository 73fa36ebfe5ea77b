import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAgainst } from '../../test/running-cli.js';
import { StandInApi } from '../../test/servers/stand-in-api.js';

let api: StandInApi;
let directory: string;
beforeEach(async () => {
  api = await StandInApi.start();
  directory = mkdtempSync(join(tmpdir(), 'tidemark-audit-'));
});
afterEach(async () => {
  await api.stop();
  rmSync(directory, { recursive: true, force: true });
});

const run = (args: readonly string[]) => runAgainst(api.url, ['audit', ...args]);

const entry = (n: number) => ({
  ...{ at: '2026-11-21T10:00:00.000Z', by: n === 2 ? null : 'operator', email: null, country: 'AT' },
  ...{
    client: 'tidemark-cli',
    stream: `site-s${n}`,
    type: 'SiteChanged',
    data: { site: `s${n}`, spread: n },
  },
});

/** Newest first, as it is asked for. */
const inPages = () => {
  api.misbehave = ({ path }) => {
    const isSecond = path.includes('cursor=next');
    const entries = isSecond ? [entry(1)] : [entry(3), entry(2)];
    return { status: 200, body: { entries, next_cursor: isSecond ? null : 'next', up_to_date: true } };
  };
};

it('shows the newest entries that match, the newest last', async () => {
  inPages();
  const { exitCode, out, err } = await run(['--last', '2', '--stream', 'site-s1']);
  expect([exitCode, err]).toEqual([0, '']);
  const lines = out.split('\n').slice(1, 3);
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ['2026-11-21 10:00:00', 'AT, tidemark-cli', 'SiteChanged', 'site-s2', 'site=s2 spread=2'],
    ['2026-11-21 10:00:00', 'operator', 'AT, tidemark-cli', 'SiteChanged', 'site-s3', 'site=s3 spread=3'],
  ]);
  expect(api.requests.map(({ path }) => path)).toEqual([
    '/admin/v1/audit?limit=100&stream=site-s1&order=newest',
  ]);
});

it('shows the newest first where that is wanted, and JSON', async () => {
  inPages();
  const { out } = await run(['--json', '--order', 'newest']);
  expect(JSON.parse(out)).toEqual({ entries: [entry(3), entry(2), entry(1)], up_to_date: true });
});

it('passes on what is asked for', async () => {
  inPages();
  const times = ['--since', '2026-11-01', '--until', '2026-11-02T10:00:00+01:00'];
  await run([...['--by', 'o@shop.example', '--type', 'A,B', '--merchant', 'm1', '--own'], ...times]);
  const { pathname, searchParams } = new URL(api.requests[0]!.path, api.url);
  expect([pathname, Object.fromEntries(searchParams)]).toEqual([
    '/v1/merchant/audit',
    {
      ...{ limit: '100', by: 'o@shop.example', type: 'A,B', merchant: 'm1', order: 'newest' },
      ...{ since: '2026-11-01T00:00:00Z', until: '2026-11-02T10:00:00+01:00' },
    },
  ]);
});

it('says when the trail may lag behind', async () => {
  api.misbehave = () => ({ status: 200, body: { entries: [], next_cursor: null, up_to_date: false } });
  const { exitCode, err } = await run([]);
  expect([exitCode, err]).toEqual([0, expect.stringContaining('newest entries may be missing')]);
});

it.each([
  ['a time that is none', ['--since', 'yesterday'], /"yesterday" is neither a day/],
  ['a file of no format', ['--output', 'x.csv'], /--output needs --format/],
  ['a bad format', ['--format', 'xls'], /Allowed choices are ndjson, csv/],
])('refuses %s as wrong usage', async (_, args, message) => {
  const { exitCode, err } = await run(args);
  expect([exitCode, err]).toEqual([2, expect.stringMatching(message)]);
});

describe('with --format', () => {
  const whole = () => {
    api.misbehave = () => ({ status: 200, body: entry(1), headers: { 'tidemark-up-to-date': 'true' } });
  };

  it('writes all that matches to standard output', async () => {
    whole();
    const { exitCode, out } = await run(['--format', 'ndjson', '--site', 's1']);
    expect([exitCode, JSON.parse(out)]).toEqual([0, entry(1)]);
    expect(api.requests[0]!.path).toBe('/admin/v1/audit/export?site=s1&order=oldest&format=ndjson');
  });

  it('writes it into a file, which is there once it is whole, and over none', async () => {
    whole();
    const file = join(directory, 'audit.csv');
    expect(await run(['--format', 'csv', '--output', file])).toEqual({ exitCode: 0, out: '', err: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(entry(1));
    writeFileSync(file, 'mine');
    const again = await run(['--format', 'csv', '--output', file]);
    expect([again.exitCode, again.err]).toEqual([1, expect.stringContaining('is there already')]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('leaves no file where the connection breaks off', async () => {
    api.misbehave = () => ({ status: 200, body: entry(1), headers: { 'content-length': '100000' } });
    setTimeout(() => api.hangUp(), 300);
    const file = join(directory, 'audit.csv');
    const { exitCode, err } = await run(['--format', 'csv', '--output', file]);
    expect([exitCode, err]).toEqual([1, expect.stringContaining('broke off before the end')]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says what the server says against it', async () => {
    api.misbehave = () => ({ status: 403, body: { detail: 'This needs a key with the scope operator.' } });
    const { exitCode, err } = await run(['--format', 'csv']);
    expect([exitCode, err]).toEqual([1, expect.stringContaining('scope operator')]);
  });
});
