import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliOptions, runAgainst } from '../../test/running-cli.js';
import { STAND_IN_KEY, StandInApi } from '../../test/servers/stand-in-api.js';

const LINE = '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET /a HTTP/1.1" 200 5 "-" "Firefox/25.0"\n';

let api: StandInApi;
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
});
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};

const answering = (body: unknown, status = 200): void => {
  api.misbehave = () => ({ status, body });
};

describe('tidemark', () => {
  it('ends with 0 after --help and --version, for every command', async () => {
    expect(await run(['--version'])).toEqual({ exitCode: 0, out: '1.2.3\n', err: '' });
    for (const command of [
      [],
      ['import', 'access-log'],
      ['sites'],
      ['keys', 'create'],
      ['merchants'],
      ['merchants', 'create'],
      ['merchants', 'delete'],
      ['people'],
      ['people', 'find'],
      ['people', 'erase'],
      ['keys', 'rotate'],
      ['query'],
      ['projections'],
      ['projections', 'retire'],
      ['rebuild'],
      ['rebuilds'],
      ['rebuilds', 'pause'],
      ['compare'],
      ['promote'],
      ['rollback'],
      ['dead-letters'],
      ['audit'],
      ['config'],
      ['doctor'],
    ]) {
      const { exitCode, out, err } = await run([...command, '--help']);
      expect([exitCode, err]).toEqual([0, '']);
      expect(out).toMatch(/Usage: tidemark/);
    }
  });

  it.each([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['an unknown option', ['sites', 'list', '--frob'], /unknown option '--frob'/],
    ['a missing option', ['query'], /required option '--site/],
    ['a missing argument', ['import', 'access-log', '--site', 'x'], /missing required argument 'file'/],
    ['too much', ['sites', 'show', 'a', 'b'], /too many arguments/],
    ['a bad number', ['query', '--site', 'x', '--limit', '0'], /not a whole number from 1/],
    ['a bad filter', ['query', '--site', 'x', '--filter', '{'], /--filter is not JSON/],
    ['a bad address', ['sites', 'list', '--url', 'localhost:3000'], /must start with http/],
    ['a bad spread', ['sites', 'change', 'x', '--spread', '0'], /not a whole number from 1 to 1024/],
    ['a bad version', ['promote', 'v2'], /not a whole number from 1 to 1000000/],
    ['no version', ['promote'], /missing required argument 'version'/],
    ['a day that is none', ['rebuild', '--from', '2026-02-30'], /"2026-02-30" is not a day/],
    ['a bad source', ['rebuild', '--source', 'tape'], /Allowed choices are log, archive\+log/],
    ['a bad tolerance', ['compare', '--tolerance', '-1'], /"-1" is neither an amount/],
    ['an unknown control', ['rebuilds', 'stop', 'r1'], /too many arguments/],
    ['an option of another command', ['rebuilds', 'pause', 'r1', '--watch'], /unknown option '--watch'/],
    ['a control without its rebuild', ['rebuilds', 'pause'], /missing required argument 'id'/],
    ['no change', ['sites', 'change', 'x'], /Nothing to change/],
    ['an unconfirmed deletion', ['sites', 'delete', 'x'], /add --yes/],
    ['an unconfirmed deletion of a letter', ['dead-letters', 'delete', 'x'], /add --yes/],
    ['a replay of nothing', ['dead-letters', 'replay'], /Name one letter, or give --all/],
    [
      'a replay of one and of all',
      ['dead-letters', 'replay', 'x', '--all'],
      /Name one letter, or give --all/,
    ],
    ['a bad number of letters', ['dead-letters', '--limit', '0'], /not a whole number from 1 to 10000/],
    ['an unknown letter command', ['dead-letters', 'frobnicate'], /too many arguments/],
    ['no command', [], /Usage: tidemark/],
    ['half a command', ['sites'], /Usage: tidemark sites/],
  ])('ends with 2 after %s', async (_, args, said) => {
    const { exitCode, out, err } = await run(args);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toMatch(said);
    expect(api.requests).toEqual([]);
  });

  it('reports errors as JSON where JSON is asked for', async () => {
    const { exitCode, err } = await run(['query', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.parse(err)).toEqual({ error: { message: expect.stringMatching(/--site/), exitCode: 2 } });
  });

  it('takes shared options before the command as well as after it', async () => {
    const options = ['--url', api.url, '--json'];
    answering({ sites: [], next_cursor: null });
    const before = await run([...options, 'sites', 'list'], { environment: { PORT: '1' } });
    expect(before).toMatchObject({ exitCode: 0 });
    expect(before).toEqual(await run(['sites', 'list', ...options], { environment: { PORT: '1' } }));
    expect((await run(['--url'])).exitCode).toBe(2);
  });

  it('says how to start a server that does not run', async () => {
    await api.stop();
    const { exitCode, err } = await run(['sites', 'list']);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/Nothing listens at http:\/\/127\.0\.0\.1:\d+\. Start Tidemark with "npm start"/);
    api = await StandInApi.start();
  });

  it('says where the key is when there is none or a wrong one', async () => {
    expect((await run(['sites', 'list'], { environment: { OPERATOR_KEY: '' } })).err).toMatch(
      /No key was given\. The operator's key is printed once, at the server's first boot/,
    );
    const environment = { OPERATOR_KEY: 'x'.repeat(40) };
    expect((await run(['sites', 'list'], { environment })).err).toMatch(/does not know this key/);
  });

  it('takes the key from --key-file and never from an argument', async () => {
    const args = ['sites', 'show', 'semicomplete.com', '--json'];
    const keyFile = file('key', `${STAND_IN_KEY}\n`);
    const environment = { OPERATOR_KEY: '' };
    expect((await run([...args, '--key-file', keyFile], { environment })).exitCode).toBe(0);
    expect((await run([...args, '--key', STAND_IN_KEY])).exitCode).toBe(2);
    expect((await run([...args, '--key-file', '/nowhere'])).err).toMatch(/cannot be read \(ENOENT\)/);
    expect((await run([...args, '--key-file', file('two', 'a\nb')])).err).toMatch(/must hold one key/);
  });

  it('shows what the server says is wrong, field by field and harmless', async () => {
    answering(
      { title: 'Bad', detail: 'No \u001b[31msuch', errors: [{ path: 'metrics[0]', message: 'unknown' }] },
      400,
    );
    const { exitCode, err } = await run(['query', '--site', 'x']);
    expect(exitCode).toBe(1);
    expect(err).toBe('error: No \\x1b[31msuch\n  metrics[0]: unknown\n');
    answering({ detail: 'limit: too large', errors: [{ path: 'limit', message: 'too large' }] }, 400);
    expect((await run(['query', '--site', 'x'])).err).toBe('error: limit: too large\n');
  });

  it.each([
    [
      'The event store does not answer at the moment.',
      /is busy or not ready: The event store [^.]* moment\. Try/,
    ],
    [undefined, /is busy or not ready\. Try/],
  ])('says what a busy server says, and ends the sentence once: %j', async (detail, said) => {
    answering({ detail }, 503);
    expect((await run(['sites', 'list'])).err).toMatch(said);
  });

  it('follows no redirect, which would carry the key elsewhere', async () => {
    api.misbehave = () => ({ status: 301, headers: { location: 'https://elsewhere.example/' } });
    expect((await run(['sites', 'list'])).err).toMatch(/redirects to https:\/\/elsewhere\.example\/.*--url/);
  });

  it('tells every problem of the settings', async () => {
    const { exitCode, err } = await run(['config'], { environment: { ROLE: 'x', TIDEMARK_X: '1' } });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/TIDEMARK_X: there is no such setting[^]*ROLE: "x" is not a role/);
  });
});

describe('tidemark import access-log', () => {
  it('prints the account of a file and of standard input', async () => {
    const path = file('a.log', LINE + LINE.replace('/a ', '/a.css '));
    const args = ['--site', 'semicomplete.com'];
    const fromFile = await run(['import', 'access-log', path, ...args]);
    expect([fromFile.exitCode, fromFile.err]).toEqual([0, '']);
    expect(fromFile.out).toMatch(
      /lines +2 [^]*page views imported +1 +2015-05-17[^]*skipped +1[^]*asset +1 /,
    );
    const fromStdin = await run(['import', 'access-log', '-', ...args, '--json'], { stdin: LINE });
    expect(JSON.parse(fromStdin.out)).toMatchObject({ file: '-', lines: 1, duplicates: 1, complete: true });
  });

  it.each([
    ['a missing file', '/nowhere/a.log', /cannot be read \(ENOENT\)/],
    ['a directory', '/', /is a directory/],
  ])('fails on %s', async (_, path, said) => {
    const { exitCode, err } = await run(['import', 'access-log', path, '--site', 'semicomplete.com']);
    expect(exitCode).toBe(1);
    expect(err).toMatch(said);
  });

  it('fails on an unknown site before it sends anything', async () => {
    const { exitCode, err } = await run([
      'import',
      'access-log',
      file('a.log', LINE),
      '--site',
      'other.example',
    ]);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/other\.example does not exist/);
    expect(api.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('fails when no line is of a known format', async () => {
    const path = file('b.log', 'hello\nworld\n');
    const { exitCode, out, err } = await run([
      'import',
      'access-log',
      path,
      '--site',
      'semicomplete.com',
      '--json',
    ]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ lines: 2, skipped: { malformed: 2 } });
    expect(err).toMatch(/No line of .* is of the common or combined log format/);
  });

  it('says how far it came and that it can be run again', async () => {
    api.misbehave = ({ path }) => (path === '/v1/events' ? { status: 503 } : undefined);
    const args = ['import', 'access-log', file('a.log', LINE), '--site', 'semicomplete.com', '--json'];
    const { exitCode, out, err } = await run(args);
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ lines: 1, imported: 0, complete: false });
    expect((JSON.parse(err.slice(err.indexOf('{'))) as { error: { message: string } }).error.message).toMatch(
      /Stopped after 1 lines; the server has 0 page views of them\.\nRun the same command again/,
    );
  });
});

describe('tidemark sites, keys, query, config', () => {
  it('lists sites page by page', async () => {
    const site = (id: string) => ({
      id,
      domain: `${id}.example`,
      name: id,
      timezone: 'UTC',
      currency: 'EUR',
    });
    api.misbehave = ({ path }) =>
      path.includes('cursor=next')
        ? { status: 200, body: { sites: [site('b')], next_cursor: null } }
        : { status: 200, body: { sites: [site('a')], next_cursor: 'next' } };
    expect((await run(['sites', 'list'])).out).toMatch(/a\.example[^]*b\.example/);
    expect(JSON.parse((await run(['sites', 'list', '--json'])).out)).toEqual({
      sites: [site('a'), site('b')],
    });
  });

  it('creates, changes and deletes a site', async () => {
    answering({
      id: 's1',
      domain: 'a.example',
      name: 'A',
      timezone: 'UTC',
      currency: 'EUR',
      trackingIds: [],
    });
    await run(['sites', 'create', 'a.example', '--timezone', 'UTC', '--tracking-ids', 'G-1, 7']);
    await run(['sites', 'change', 'a.example', '--name', 'A']);
    expect((await run(['sites', 'delete', 'a.example', '--yes'])).out).toBe('a.example is deleted.\n');
    expect(api.requests).toEqual([
      {
        method: 'POST',
        path: '/v1/sites',
        body: { domain: 'a.example', timezone: 'UTC', trackingIds: ['G-1', '7'] },
      },
      { method: 'PATCH', path: '/v1/sites/a.example', body: { name: 'A' } },
      { method: 'DELETE', path: '/v1/sites/a.example', body: undefined },
    ]);
  });

  it('tells a site everything that can be set, and shows what was', async () => {
    const settings = {
      ...{ weekStart: 'sunday', consentMode: 'full', aliases: ['b.example'], queryParameters: [] },
      ...{ allowedOrigins: ['*.a.example'], hostnames: ['a.example', 'b.example'] },
      exclusions: { countries: ['AT'], addresses: ['192.0.2.0/24'], pages: ['/admin/**'], hostnames: [] },
    };
    const fields = { name: 'A', timezone: 'UTC', currency: 'EUR', trackingIds: [], spread: 1 };
    answering({ id: 's1', domain: 'c.example', ...fields, ...settings });
    const { out } = await run([
      ...['sites', 'change', 'a.example', '--domain', 'c.example', '--aliases', 'b.example'],
      ...['--week-start', 'sunday', '--consent-mode', 'full', '--query-parameters', ''],
      ...['--allowed-origins', '*.a.example', '--hostnames', 'a.example, b.example'],
      ...['--exclude-countries', 'AT', '--exclude-addresses', '192.0.2.0/24', '--exclude-pages', '/admin/**'],
    ]);
    const { hostnames: _, ...given } = settings.exclusions;
    expect(api.requests.map(({ body }) => body)).toEqual([
      { domain: 'c.example', ...settings, exclusions: given },
    ]);
    expect(out).toMatch(/^weeks begin on +sunday$[^]*^hostnames +a.example, b.example$/m);
    expect(out).toMatch(/^excluded addresses +192.0.2.0\/24$/m);
    expect(out).not.toMatch(/query parameters|excluded hostnames|spread/);
  });

  it('spreads a busy site over partitions, and shows it of such a site only', async () => {
    const site = (name: string, spread: number) => ({
      ...{ id: `id-${name}`, domain: `${name}.example`, name, timezone: 'UTC', currency: 'EUR' },
      ...{ trackingIds: [], spread },
    });
    answering(site('busy', 4));
    expect((await run(['sites', 'create', 'busy.example', '--spread', '4'])).out).toMatch(
      /^spread +4 partitions$/m,
    );
    await run(['sites', 'change', 'busy.example', '--spread', '1']);
    expect(api.requests.map(({ body }) => body)).toEqual([
      { domain: 'busy.example', spread: 4 },
      { spread: 1 },
    ]);
    answering(site('quiet', 1));
    expect((await run(['sites', 'show', 'quiet.example'])).out).not.toMatch(/spread/);
    answering({ sites: [site('busy', 4), site('quiet', 1)], next_cursor: null });
    expect((await run(['sites', 'list'])).out).toMatch(
      /currency +spread +id$[^]*EUR +4 +id-busy$[^]*EUR +id-quiet$/m,
    );
    answering({ sites: [site('quiet', 1)], next_cursor: null });
    expect((await run(['sites', 'list'])).out).not.toMatch(/spread/);
  });

  it("says that spreading takes the operator's key", async () => {
    answering({ title: 'Forbidden', detail: 'Only the operator may spread a site over partitions.' }, 403);
    const { exitCode, err } = await run(['sites', 'change', 'busy.example', '--spread', '4']);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/Only the operator may spread a site over partitions\. Use the operator's key/);
  });

  it('creates and revokes keys, of a site or of all', async () => {
    answering({ id: 'k1', key: 'tm_secret', name: 'n', prefix: 'tm_s', scopes: ['ingest'] }, 201);
    const made = await run([
      'keys',
      'create',
      'my key',
      '--scopes',
      'ingest,stats:read',
      '--site',
      'a.example',
    ]);
    expect(made.out).toBe('tm_secret\n');
    expect(made.err).toMatch(/not shown again/);
    await run(['keys', 'revoke', 'k1']);
    expect(api.requests).toEqual([
      {
        method: 'POST',
        path: '/v1/sites/a.example/keys',
        body: { name: 'my key', scopes: ['ingest', 'stats:read'] },
      },
      { method: 'DELETE', path: '/v1/keys/k1', body: undefined },
    ]);
  });

  it('shows, rotates and limits keys', async () => {
    answering({ id: 'k2', key: 'tm_secret', name: 'n', prefix: 'tm_s', scopes: ['ingest'] }, 201);
    expect((await run(['keys', 'rotate', 'k1', '--overlap', '60', '--site', 'a.example'])).out).toBe(
      'tm_secret\n',
    );
    await run(['keys', 'create', 'n', '--scopes', 'ingest', '--expires', '2030-06-30T00:00:00Z']);
    await run(['keys', 'create', 'n', '--scopes', 'ingest', '--expires', '90d']);
    expect(api.requests.slice(0, 2)).toEqual([
      { method: 'POST', path: '/v1/sites/a.example/keys/k1/rotate', body: { overlapSeconds: 60 } },
      {
        method: 'POST',
        path: '/v1/keys',
        body: { name: 'n', scopes: ['ingest'], expiresAt: '2030-06-30T00:00:00Z' },
      },
    ]);
    const { expiresAt } = api.requests[2]!.body as { expiresAt: string };
    expect(Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000)).toBe(90);
    expect((await run(['keys', 'create', 'n', '--scopes', 'ingest', '--expires', 'soon'])).exitCode).toBe(2);
    expect((await run(['keys', 'rotate', 'k1', '--overlap', '-1'])).exitCode).toBe(2);

    answering({
      id: 'k1',
      name: 'n',
      prefix: 'tm_s',
      scopes: ['ingest'],
      site: null,
      lastUsedAt: null,
      createdAt: 't',
    });
    const { out } = await run(['keys', 'show', 'k1']);
    expect(out).toMatch(/last used.*not yet/);
    expect(out).toMatch(/site.*every site/);
  });

  it('asks a query and draws its answer', async () => {
    answering({
      results: [
        { dimensions: ['/a'], metrics: [1_000, 10] },
        { dimensions: [null], metrics: [500, null] },
      ],
      meta: { watermark: '2026-11-21T09:59:58Z' },
    });
    const args = [
      'query',
      '--site',
      'a.example',
      '--metrics',
      'pageviews,visitors',
      '--dimensions',
      'event:page',
    ];
    const { out, err } = await run([
      ...args,
      '--date-range',
      '2015-05-17,2015-05-20',
      '--limit',
      '5',
      '--bots',
    ]);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['event:page', 'pageviews', 'visitors'],
      ['/a', '1,000', '10', '█'.repeat(24)],
      ['(not set)', '500', '–', '█'.repeat(12)],
      [''],
    ]);
    expect(err).toBe('complete up to 2026-11-21T09:59:58Z\n');
    expect(api.requests[0]!.body).toEqual({
      metrics: ['pageviews', 'visitors'],
      dimensions: ['event:page'],
      date_range: ['2015-05-17', '2015-05-20'],
      include: { bots: true },
      pagination: { limit: 5, offset: 0 },
    });
  });

  it('takes one filter or several', async () => {
    answering({ results: [] });
    const one = ['is', 'visit:country', ['DE']];
    await run(['query', '--site', 'a', '--filter', JSON.stringify(one)]);
    await run(['query', '--site', 'a', '--filter', JSON.stringify([one, one])]);
    expect(api.requests.map(({ body }) => (body as { filters: unknown }).filters)).toEqual([
      [one],
      [one, one],
    ]);
  });

  it('lists every setting and hides the secret ones', async () => {
    const { out } = await run(['config', '--json'], { environment: { TRUST_PROXY: 'loopback,10.0.0.0/8' } });
    const { settings } = JSON.parse(out) as { settings: { name: string }[] };
    const byName = new Map(settings.map((setting) => [setting.name, setting]));
    expect(byName.get('OPERATOR_KEY')).toMatchObject({ value: 'set (hidden)', default: null, secret: true });
    expect(byName.get('DATABASE_URL')).toMatchObject({ value: null });
    expect(byName.get('ROLE')).toMatchObject({
      value: 'ingest,projector,api',
      default: 'ingest,projector,api',
    });
    expect(byName.get('TRUST_PROXY')).toMatchObject({ value: 'loopback,10.0.0.0/8', default: 'none' });
    expect(out).not.toContain(STAND_IN_KEY);
    expect((await run(['config'])).out).not.toContain(STAND_IN_KEY);
  });
});

describe('tidemark doctor', () => {
  const healthy = (path: string) => {
    if (path === '/health/live') return { status: 200, body: { status: 'live' } };
    if (path === '/health/ready') {
      const dependencies = { postgres: { status: 'up', facts: { version: '18.4' } } };
      return { status: 200, body: { status: 'ready', dependencies } };
    }
    return { status: 200, body: { sites: [] } };
  };

  it('finds everything in order', async () => {
    api.misbehave = ({ path }) => healthy(path);
    const { exitCode, out } = await run(['doctor', '--json'], { environment: { DATA_DIR: directory } });
    expect(exitCode).toBe(0);
    const { findings } = JSON.parse(out) as { findings: { check: string; state: string }[] };
    expect(findings.map(({ check, state }) => `${check} ${state}`)).toEqual([
      'node ok',
      'server ok',
      'clock ok',
      'ready ok',
      'ready: postgres ok',
      'key ok',
      'disk ok',
    ]);
  });

  it('goes on after a failed check and says what to do about each', async () => {
    api.misbehave = ({ path }) => {
      if (path !== '/health/ready') return undefined;
      const dependencies = { postgres: { status: 'down', reason: 'ECONNREFUSED' } };
      return { status: 503, body: { status: 'not-ready', dependencies } };
    };
    const { exitCode, out, err } = await run(['doctor'], { environment: { OPERATOR_KEY: 'x'.repeat(40) } });
    expect(exitCode).toBe(1);
    expect(out).toMatch(/✗ +ready: postgres +down, ECONNREFUSED/);
    expect(out).toMatch(/ready: postgres: The server cannot use it/);
    expect(out).toMatch(/key: .* does not know this key/);
    expect(err).toMatch(/3 of \d checks failed/);
  });

  it('warns of what is degraded, without failing', async () => {
    api.misbehave = ({ path }) => {
      if (path !== '/health/ready') return healthy(path);
      const dependencies = { 'read-models': { status: 'degraded', reason: 'the projector is behind' } };
      return { status: 200, body: { status: 'ready', dependencies } };
    };
    const { exitCode, out } = await run(['doctor']);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/! +ready: read-models +degraded, the projector is behind/);
  });

  it('says that no server runs', async () => {
    await api.stop();
    const { exitCode, out } = await run(['doctor']);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/✗ +server +ECONNREFUSED[^]*– +key[^]*Start Tidemark with "npm start"/);
    api = await StandInApi.start();
  });
});
