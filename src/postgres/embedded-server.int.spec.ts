// The embedded PostgreSQL against what machines do to it: root, closed directories, install
// scripts that did not run, crashes, two processes at once.
import { spawn } from 'node:child_process';
import {
  chownSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { pino } from 'pino';
import { openCluster } from './cluster.js';
import { EmbeddedServer } from './embedded-server.js';
import { ensurePostmaster } from './postmaster.js';
import { findServerBinaries, packagedNative } from './server-binaries.js';

const log = pino({ level: 'silent' });
const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

let template: string;
let dataDirectory: string;
let running: EmbeddedServer[];

const openDirectory = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-embedded-'));
  await chmod(directory, 0o755);
  return directory;
};

beforeAll(async () => {
  template = await openDirectory();
  const binaries = await findServerBinaries(packagedNative(), []);
  await openCluster({ dataDirectory: template, binaries });
});
afterAll(() => rm(template, { recursive: true }));

beforeEach(async () => {
  dataDirectory = await openDirectory();
  running = [];
});

afterEach(async () => {
  for (const server of running) await server.stop();
  await rm(dataDirectory, { recursive: true });
});

/** Spares a test that is not about the first boot the making of a cluster. */
const bootedBefore = () =>
  cpSync(join(template, 'postgres'), join(dataDirectory, 'postgres'), { recursive: true });

async function start(options: { native?: string; settings?: Record<string, string> } = {}) {
  const server = await EmbeddedServer.start({ dataDirectory, log, ...options });
  running.push(server);
  return server;
}

async function stop(server: EmbeddedServer) {
  running = running.filter((one) => one !== server);
  return server.stop();
}

async function query(url: string, sql: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const isRunning = (pid: number) => existsSync(`/proc/${pid}/cwd`) && statusOf(pid) !== 'Z';
const statusOf = (pid: number) => /State:\s+(\w)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

describe('the embedded server', () => {
  it('keeps its data, its settings and its durability from one boot to the next', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS a');
    expect(await stop(first)).toBe('stopped');
    expect(isRunning(first.pid)).toBe(false);

    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
    expect(
      await query(
        second.url,
        `SELECT current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
           current_setting('jit') AS jit, datlocale AS locale, pg_encoding_to_char(encoding) AS encoding
         FROM pg_database WHERE datname = current_database()`,
      ),
    ).toEqual([{ commit: 'on', fsync: 'on', jit: 'off', locale: 'C.UTF-8', encoding: 'UTF8' }]);
  });

  it('listens on 127.0.0.1 only, asks for its password, and keeps that to its owner', async () => {
    bootedBefore();
    const { url } = await start();
    expect(await query(url, "SELECT current_setting('listen_addresses') AS at")).toEqual([
      { at: '127.0.0.1' },
    ]);
    expect(await query(url, "SELECT current_setting('unix_socket_directories') AS at")).toEqual([{ at: '' }]);
    const wrong = new URL(url);
    wrong.password = 'password';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
    expect(statSync(join(dataDirectory, 'postgres', 'tidemark.password')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(dataDirectory, 'postgres.log'), 'utf8')).toContain(
      'ready to accept connections',
    );
    expect(statSync(join(dataDirectory, 'postgres.log')).mode & 0o777).toBe(0o600);
  });

  it('lets what ALTER SYSTEM sets win over its own settings', async () => {
    bootedBefore();
    const first = await start();
    await query(first.url, "ALTER SYSTEM SET shared_buffers = '64MB'");
    await stop(first);
    expect(await query((await start()).url, 'SHOW shared_buffers')).toEqual([{ shared_buffers: '64MB' }]);
  });

  it('is out of reach of a Ctrl-C meant for this process', async () => {
    bootedBefore();
    const { pid } = await start();
    const [, , , group] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/\(.*\)/, 'x')
      .split(' ')
      .slice(1);
    expect(group).toBe(String(pid)); // its session is its own
  });

  it('is shared by two processes and stopped by the last to leave', async () => {
    const [one, other] = await Promise.all([start(), start()]); // on a fresh directory
    expect(other.pid).toBe(one.pid);
    expect(await stop(one)).toBe('in-use');
    expect(await query(other.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
    expect(await stop(other)).toBe('stopped');
    expect(readdirSync(dataDirectory).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('stops although both leave at the same moment', async () => {
    bootedBefore();
    const [one, other] = await Promise.all([start(), start()]);
    const outcomes = await Promise.all([stop(one), stop(other)]);
    expect(outcomes).toContain('stopped');
    await delay(100);
    expect(isRunning(one.pid)).toBe(false);
  });

  it('can be started while the one before it is still stopping', async () => {
    bootedBefore();
    const first = await start();
    const [outcome, second] = await Promise.all([stop(first), start()]);
    expect(['stopped', 'in-use']).toContain(outcome);
    expect(await query(second.url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
  });

  it('adopts a postmaster that outlived the process which started it', async () => {
    bootedBefore();
    const binaries = await findServerBinaries(packagedNative(), []);
    const cluster = await openCluster({ dataDirectory, binaries });
    const orphan = await ensurePostmaster(cluster, { logPath: join(dataDirectory, 'postgres.log') });

    const server = await start();
    expect(server.pid).toBe(orphan.pid);
    expect(await stop(server)).toBe('stopped');
    expect(isRunning(orphan.pid)).toBe(false);
  });

  it('recovers a cluster whose postmaster was killed, though a stranger now has its process id', async () => {
    bootedBefore();
    const first = await start({ settings: { restart_after_crash: 'off' } });
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS a');
    const pidFile = readFileSync(join(dataDirectory, 'postgres', 'postmaster.pid'), 'utf8');
    await stop(first);
    writeFileSync(
      join(dataDirectory, 'postgres', 'postmaster.pid'),
      pidFile.replace(/^\d+/, String(process.pid)),
    );
    expect(await query((await start()).url, 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
  });

  it('comes back on the same port when its postmaster is killed under it', async () => {
    bootedBefore();
    const server = await start();
    const { pid } = server;
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS a');
    process.kill(pid, 'SIGKILL');
    const deadline = Date.now() + 60_000;
    let rows: unknown[] = [];
    while (rows.length === 0 && Date.now() < deadline) {
      rows = await query(server.url, 'SELECT a FROM kept').catch(() => []);
      await delay(50);
    }
    expect(rows).toEqual([{ a: 1 }]);
    expect(server.pid).not.toBe(pid);
  });

  it("refuses another major version's directory and leaves it as it was", async () => {
    await mkdir(join(dataDirectory, 'postgres'));
    writeFileSync(join(dataDirectory, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(
      /made by PostgreSQL 17, and this Tidemark runs PostgreSQL 18.*DATABASE_URL/s,
    );
    expect(readdirSync(join(dataDirectory, 'postgres'))).toEqual(['PG_VERSION']);
  });

  it('refuses a directory that holds something else', async () => {
    await mkdir(join(dataDirectory, 'postgres'));
    writeFileSync(join(dataDirectory, 'postgres', 'letters.txt'), 'dear');
    await expect(start()).rejects.toThrow('not a directory of PostgreSQL');
    expect(readdirSync(dataDirectory)).toEqual(['postgres']);
  });

  it('says why when DATA_DIR cannot be used', async () => {
    writeFileSync(join(dataDirectory, 'file'), '');
    const closed = EmbeddedServer.start({ dataDirectory: join(dataDirectory, 'file', 'data'), log });
    await expect(closed).rejects.toThrow(/cannot use DATA_DIR: ENOTDIR.*DATABASE_URL/);
  });

  it('says why when PostgreSQL does not start', async () => {
    bootedBefore();
    await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /did not start.*invalid value for parameter "shared_buffers"/s,
    );
  });

  it('clears away a first boot that was killed half-way', async () => {
    const killed = spawn('true');
    await new Promise((resolve) => killed.once('exit', resolve));
    await mkdir(join(dataDirectory, `postgres.new-${killed.pid}-cafe`));
    await start();
    expect(readdirSync(dataDirectory).filter((name) => name.includes('.new-'))).toEqual([]);
  });

  it('makes the library links when the install script did not run', async () => {
    const native = join(dataDirectory, 'package', 'native');
    cpSync(join(packagedNative(), '..', 'package.json'), join(dataDirectory, 'package', 'package.json'));
    cpSync(packagedNative(), native, { recursive: true, verbatimSymlinks: true });
    for (const entry of readdirSync(join(native, 'lib'), { withFileTypes: true })) {
      if (entry.isSymbolicLink()) rmSync(join(native, 'lib', entry.name));
    }
    expect(existsSync(join(native, 'lib', 'libicui18n.so.60'))).toBe(false);
    const server = await start({ native });
    expect(await query(server.url, "SELECT 'ä' < 'b' AS a")).toEqual([{ a: false }]);
  });

  it('names DATABASE_URL when the binaries cannot be run', async () => {
    const native = join(dataDirectory, 'package', 'native');
    await mkdir(join(native, 'bin'), { recursive: true });
    writeFileSync(join(dataDirectory, 'package', 'package.json'), '{"version":"0"}');
    await expect(start({ native })).rejects.toThrow(/cannot be run.*ENOENT.*DATABASE_URL/s);
  });

  itAsRoot('keeps its data where only root may go', async () => {
    await chmod(dataDirectory, 0o700);
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS a; CHECKPOINT');
    await stop(first);
    expect(await query((await start()).url, 'SELECT a FROM kept')).toEqual([{ a: 1 }]);
    expect(existsSync(join(dataDirectory, 'postgres', 'PG_VERSION'))).toBe(true);
  });

  itAsRoot('runs binaries that only root may reach from a copy, made once', async () => {
    bootedBefore();
    const closed = await mkdtemp(join(tmpdir(), 'tidemark-closed-'));
    cpSync(join(packagedNative(), '..'), closed, { recursive: true, verbatimSymlinks: true });
    await chmod(closed, 0o700);
    const copies = () => readdirSync(dataDirectory).filter((name) => name.startsWith('tidemark-postgres-'));
    try {
      await stop(await start({ native: join(closed, 'native') }));
      const [copy] = copies();
      const { ino } = statSync(join(dataDirectory, copy as string));
      await start({ native: join(closed, 'native') });
      expect(copies()).toEqual([copy]);
      expect(statSync(join(dataDirectory, copy as string)).ino).toBe(ino);
    } finally {
      await rm(closed, { recursive: true });
    }
  });

  itAsRoot('takes over a directory that another user made', async () => {
    bootedBefore();
    await stop(await start());
    for (const entry of readdirSync(join(dataDirectory, 'postgres'), { recursive: true }) as string[]) {
      chownSync(join(dataDirectory, 'postgres', entry), 65_534, 65_534);
    }
    chownSync(join(dataDirectory, 'postgres'), 65_534, 65_534);
    expect(await query((await start()).url, 'SELECT 1 AS a')).toEqual([{ a: 1 }]);
  });
});
