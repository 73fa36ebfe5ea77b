// First and later boots: the operator's key, the pepper and what they say to whoever starts Tidemark.
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { OPERATOR_KEY, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { ConfigError } from '../../../config/config.js';

let postgres: MigratedPostgres;
let dataDirectory: string;
let printed: string[];

beforeEach(async () => {
  postgres = await startMigratedPostgres();
  dataDirectory = await mkdtemp(join(tmpdir(), 'tidemark-operator-key-'));
  printed = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  await postgres.stop();
  await rm(dataDirectory, { recursive: true, force: true });
});

const exported = () =>
  printed
    .join('')
    .match(/export OPERATOR_KEY=(\S+)/g)
    ?.map((line) => line.split('=')[1]!) ?? [];
const pepperPath = () => join(dataDirectory, 'secrets', 'key-pepper');
const boot = (environment: Readonly<Record<string, string>> = {}, pool: Pool = postgres.pool) =>
  startControlPlane(pool, { dataDirectory, environment });

describe("the operator's key", () => {
  it('is made and printed at first boot, works at once, and is never printed again', async () => {
    const first = await boot();
    const keys = exported();
    expect(keys).toEqual([expect.stringMatching(/^tm_[0-9A-Za-z]{32}$/)]);
    const [key] = keys as [string];
    const body = { domain: 'first.example' };
    expect((await first.call('POST', '/v1/sites', { key, body })).status).toBe(201);
    await first.close();

    printed.length = 0;
    const second = await boot();
    expect(printed.join('')).toBe('');
    expect((await second.call('GET', '/v1/sites', { key })).body.sites).toHaveLength(1);
    await second.close();
    const { rows } = await postgres.pool.query('SELECT data::text FROM event_store.events');
    expect(rows.some(({ data }) => data.includes(key))).toBe(false);
  });

  it('is made by one of several nodes that boot at once', async () => {
    const environment = { KEY_PEPPER: 'the same pepper on every one of the nodes' };
    const nodes = await Promise.all([1, 2, 3, 4].map(() => boot(environment)));
    const [key, ...more] = exported() as [string, ...string[]];
    expect(more).toEqual([]);
    for (const node of nodes) {
      expect((await node.call('GET', '/v1/sites', { key })).status).toBe(200);
      await node.close();
    }
  });

  it('is the one of OPERATOR_KEY where that is given, and no other', async () => {
    const first = await boot();
    const [made] = exported() as [string];
    await first.close();
    printed.length = 0;

    const second = await boot({ OPERATOR_KEY });
    expect(printed.join('')).toBe('');
    expect((await second.call('GET', '/v1/sites', { key: OPERATOR_KEY })).status).toBe(200);
    expect((await second.call('GET', '/v1/sites', { key: made })).status).toBe(401);
    await second.close();

    const third = await boot();
    expect((await third.call('GET', '/v1/sites', { key: made })).status).toBe(200);
    expect((await third.call('GET', '/v1/sites', { key: OPERATOR_KEY })).status).toBe(401);
    await third.close();
  });
});

describe('the pepper', () => {
  const bootFails = async (environment: Readonly<Record<string, string>> = {}) => {
    const failure = await boot(environment).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ConfigError);
    return (failure as ConfigError).message;
  };

  it('is made once, for this user only', async () => {
    await (await boot()).close();
    const pepper = await readFile(pepperPath(), 'utf8');
    expect(pepper.trim()).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(pepperPath())).mode & 0o777).toBe(0o600);
    expect((await stat(join(dataDirectory, 'secrets'))).mode & 0o777).toBe(0o700);
    await (await boot()).close();
    expect(await readFile(pepperPath(), 'utf8')).toBe(pepper);
  });

  it('is the same for processes that boot at once on one data directory', async () => {
    const nodes = await Promise.all([boot(), boot(), boot()]);
    const [key] = exported() as [string];
    for (const node of nodes) {
      expect((await node.call('GET', '/v1/sites', { key })).status).toBe(200);
      await node.close();
    }
  });

  it('is not written where KEY_PEPPER is given', async () => {
    await (await boot({ KEY_PEPPER: 'given, and at least 32 characters long' })).close();
    await expect(stat(pepperPath())).rejects.toThrow('ENOENT');
  });

  it('that is another one than the installation began with stops the boot', async () => {
    await (await boot({ KEY_PEPPER: 'given, and at least 32 characters long' })).close();
    const another = await bootFails({ KEY_PEPPER: 'another one of at least 32 characters!' });
    expect(another).toMatch(/KEY_PEPPER.*another pepper/);
    expect(another).not.toContain('at least 32 characters!');
  });

  it('that was lost stops the boot instead of being made anew', async () => {
    await (await boot()).close();
    await rm(pepperPath());
    expect(await bootFails()).toMatch(/copy the file/);
    await expect(stat(pepperPath())).rejects.toThrow('ENOENT');
  });

  it('that others can read stops the boot', async () => {
    await (await boot()).close();
    await chmod(pepperPath(), 0o640);
    expect(await bootFails()).toMatch(/chmod 600/);
  });

  it('that is damaged stops the boot', async () => {
    await mkdir(join(dataDirectory, 'secrets'), { mode: 0o700 });
    await writeFile(pepperPath(), 'short\n', { mode: 0o600 });
    expect(await bootFails()).toMatch(/damaged/);
  });
});
