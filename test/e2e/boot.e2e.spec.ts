// The process as its operator meets it: how it starts, what it says when it cannot, how it ends.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../crash/child.js';
import { startPostgres, type TestPostgres } from '../servers/postgres.js';

const OPERATOR_KEY = 'an-operator-key-of-enough-characters';
const KEY_PEPPER = 'a-pepper-that-every-node-of-the-test-has';

let directory: string;
const running: Child[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-boot-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.kill('SIGTERM')));
  rmSync(directory, { recursive: true });
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Child> {
  const child = await Child.start('src/main.js', {
    environment: {
      ...{ PORT: '0', DATA_DIR: join(directory, 'data') },
      // A busy machine needs longer than is the default.
      SHUTDOWN_TIMEOUT_MS: '60000',
      ...environment,
    },
  });
  running.push(child);
  return child;
}

/** The URL of the boot line. */
async function listening(child: Child): Promise<string> {
  for (let lines = 1; ; lines++) {
    await child.printed(lines);
    const url = /"url":"([^"]+)".*Tidemark listens/.exec(child.lines[lines - 1]!)?.[1];
    if (url) return url;
  }
}

/** The first report of all those polled that says ready. */
async function ready(url: string): Promise<{ dependencies: Record<string, { status: string }> }> {
  for (;;) {
    const answer = await fetch(`${url}/health/ready`);
    if (answer.ok) return (await answer.json()) as { dependencies: Record<string, { status: string }> };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const printedKey = (child: Child) => /tm_[A-Za-z0-9]{20,}/.exec(child.lines.join('\n'))?.[0];

describe('a boot that cannot succeed', () => {
  const failure = async (environment: Readonly<Record<string, string>>) => {
    const child = await start(environment);
    const { code } = await child.ended;
    expect(code).toBe(1);
    expect(child.stderr).not.toMatch(/^\s+at /m);
    return child.stderr;
  };

  it('names the port that is in use', async () => {
    const squatter: Server = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as { port: number };
    try {
      expect(await failure({ PORT: String(port) })).toBe(
        `Port ${port} on 127.0.0.1 is in use: stop the process that has it, or set PORT.\n`,
      );
    } finally {
      squatter.close();
    }
  });

  it('names the data directory that cannot be written', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const said = await failure({ DATA_DIR: join(file, 'data') });
    expect(said).toBe(
      `The data directory ${file}/data cannot be written (ENOTDIR). Set DATA_DIR to one that can.\n`,
    );
  });

  it('names every malformed and every unknown setting', async () => {
    const said = await failure({ PORT: 'http', ROLE: 'ingestor', TIDEMARK_PORT: '3000' });
    expect(said).toContain('PORT: must be a whole number');
    expect(said).toContain('ROLE: "ingestor" is not a role');
    expect(said).toContain('TIDEMARK_PORT: there is no such setting');
  });

  it('says that the address is not one of this machine', async () => {
    expect(await failure({ PORT: '3999', HOST: '192.0.2.1' })).toContain('Cannot listen on 192.0.2.1:3999');
  });

  it('says that the database does not answer, without its password', async () => {
    const said = await failure({ DATABASE_URL: 'postgres://jo:hunter2@127.0.0.1:1/tidemark' });
    expect(said).toContain('127.0.0.1:1');
    expect(said).not.toContain('hunter2');
  });
});

describe('with everything embedded', () => {
  it('prints the key once, keeps the data over a restart, and exits 0 on SIGTERM', async () => {
    const first = await start();
    const url = await listening(first);
    await ready(url);
    const key = printedKey(first);
    expect(key).toBeDefined();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ domain: 'shop.example' });
    expect((await fetch(`${url}/v1/sites`, { method: 'POST', headers, body })).status).toBe(201);

    await first.kill('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });

    const second = await start();
    const again = await listening(second);
    expect(printedKey(second)).toBeUndefined();
    const site = await fetch(`${again}/v1/sites/shop.example`, { headers });
    expect(site.status).toBe(200);
    await second.kill('SIGINT');
    expect(await second.ended).toEqual({ code: 0, signal: null });
  });

  it('exits at once on a second signal', async () => {
    const child = await start({ SHUTDOWN_DELAY_MS: '30000' });
    await listening(child);
    const lines = child.lines.length;
    void child.kill('SIGTERM');
    await child.printed(lines + 1);
    const signalledAt = Date.now();
    await child.kill('SIGTERM');
    expect((await child.ended).code).toBe(143);
    expect(Date.now() - signalledAt).toBeLessThan(20_000);
  });

  it('does not let a client that drips its request keep it from stopping', async () => {
    const child = await start({ SHUTDOWN_TIMEOUT_MS: '30000' });
    const { port } = new URL(await listening(child));
    const dripping = connect(Number(port), '127.0.0.1', () =>
      dripping.write('POST /v1/events HTTP/1.1\r\nHost:'),
    );
    dripping.on('error', () => {});
    await once(dripping, 'connect');
    await child.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  it('tells balancers first and goes on serving for as long as is set', async () => {
    const child = await start({ SHUTDOWN_DELAY_MS: '5000' });
    const url = await listening(child);
    await ready(url);
    const lines = child.lines.length;
    const stopped = child.kill('SIGTERM');
    await child.printed(lines + 1);
    const answer = await fetch(`${url}/health/ready`);
    expect([answer.status, ((await answer.json()) as { status: string }).status]).toEqual([503, 'draining']);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    await stopped;
    expect((await child.ended).code).toBe(0);
  });
});

describe('one role alone', () => {
  let postgres: TestPostgres;
  beforeAll(async () => (postgres = await startPostgres()));
  afterAll(() => postgres.stop());

  it.each([
    ['ingest', ['postgres', 'tracking-log', 'directories', 'salts'], { '/v1/events': 400, '/docs': 404 }],
    ['projector', ['postgres', 'tracking-log', 'read-models'], { '/v1/events': 404, '/docs': 404 }],
    ['api', ['postgres', 'directories', 'read-models'], { '/v1/events': 404, '/docs': 200 }],
  ])('answers for its own dependencies: %s', async (role, dependencies, paths) => {
    const child = await start({ ROLE: role, DATABASE_URL: postgres.url, OPERATOR_KEY, KEY_PEPPER });
    const url = await listening(child);
    const report = await ready(url);
    expect(Object.keys(report.dependencies)).toEqual(dependencies);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('tidemark_http_request_duration_seconds_count');
    for (const [path, status] of Object.entries(paths)) {
      const method = path === '/docs' ? 'GET' : 'POST';
      const headers = { authorization: `Bearer ${OPERATOR_KEY}`, 'content-type': 'application/json' };
      const answer = await fetch(url + path, { method, headers, ...(method === 'POST' && { body: '[]' }) });
      expect([path, answer.status]).toEqual([path, status]);
    }
    await child.kill('SIGTERM');
    expect((await child.ended).code).toBe(0);
  });
});
