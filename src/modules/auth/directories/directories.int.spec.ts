// The directories as they follow a real event store: at boot, from another node, and on the hot path.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import {
  type MigratedPostgres,
  openTestPool,
  startMigratedPostgres,
} from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { createSite, deleteSite, siteStream } from '../sites/site.aggregate.js';
import { DirectoryFollower } from './directory-follower.js';
import { KeyDirectory } from './key.directory.js';
import { SiteDirectory } from './site.directory.js';

/** On a busy machine; how soon a store tells its subscribers, its contract measures. */
const PROMPT_MS = 10_000;

const KEY_PEPPER = 'a pepper that both of the nodes are given';
const environment = { OPERATOR_KEY, KEY_PEPPER };

let postgres: MigratedPostgres;
let node: ControlPlane;
let other: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  node = await startControlPlane(postgres.pool, { environment });
  other = await startControlPlane(postgres.pool, { environment });
});
afterAll(async () => {
  await node.close();
  await other.close();
  await postgres.stop();
});

const create = async (domain: string) => (await node.call('POST', '/v1/sites', { body: { domain } })).body;
const issue = async (site: string) => {
  const body = { name: 'k', scopes: ['ingest'] };
  return (await node.call('POST', `/v1/sites/${site}/keys`, { body })).body;
};
const settled = (plane: ControlPlane) => plane.app.get(DirectoryFollower).settle();
const sitesOf = (plane: ControlPlane) => plane.app.get(SiteDirectory);
const keysOf = (plane: ControlPlane) => plane.app.get(KeyDirectory);

async function within(ms: number, holds: () => boolean): Promise<number> {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > ms) throw new Error(`It did not hold within ${ms} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - startedAt;
}

it('another node knows of a site, a change and a deletion promptly', async () => {
  const { id } = await create('prompt.example');
  await within(PROMPT_MS, () => sitesOf(other).find('www.Prompt.example')?.id === id);
  await node.call('PATCH', `/v1/sites/${id}`, { body: { name: 'Changed' } });
  await within(PROMPT_MS, () => sitesOf(other).find(id)?.name === 'Changed');
  await node.call('DELETE', `/v1/sites/${id}`);
  await within(PROMPT_MS, () => sitesOf(other).find(id) === undefined);
  expect(sitesOf(other).find('prompt.example')).toBeUndefined();
});

it('another node refuses a revoked key promptly, though it has just let it pass', async () => {
  const { id: site } = await create('revoked.example');
  const { id, key } = await issue(site);
  await within(PROMPT_MS, () => keysOf(other).find(key) !== undefined);
  expect(keysOf(other).find(key)).toMatchObject({ id, site });
  await node.call('DELETE', `/v1/sites/${site}/keys/${id}`);
  await within(PROMPT_MS, () => keysOf(other).find(key) === undefined);
});

it('a node that boots knows everything before it is ready', async () => {
  const { id: site } = await create('before.example');
  const { key, id } = await issue(site);
  const pool = openTestPool(postgres.url);
  const late = await startControlPlane(pool, { environment });
  expect(sitesOf(late).find('before.example')?.id).toBe(site);
  expect(keysOf(late).find(key)?.id).toBe(id);
  expect(sitesOf(late).size).toBe(sitesOf(node).size);
  await late.close();
  await pool.end();
});

it('a site keeps its merchant apart from others', async () => {
  await node.app.get(EventStore).append(
    siteStream('sOther'),
    [
      createSite('sOther', {
        merchant: 'somebody',
        domain: 'somebody.example',
        name: 'n',
        timezone: 'UTC',
        currency: 'EUR',
        trackingIds: [],
      }),
    ],
    'none',
  );
  await settled(node);
  const listed = sitesOf(node).list('somebody');
  expect(listed.map(({ domain }) => domain)).toEqual(['somebody.example']);
  expect(
    sitesOf(node)
      .list('default')
      .map(({ id }) => id),
  ).not.toContain('sOther');
  expect(sitesOf(node).list()).toHaveLength(sitesOf(node).size);
});

it('the directories know how old their knowledge may be', async () => {
  await settled(node);
  expect(node.app.get(DirectoryFollower).ageMs).toBeLessThan(PROMPT_MS);
});

it('keys are refused with 503 once revocations may have been missed for a minute', async () => {
  const follower = node.app.get(DirectoryFollower);
  const age = jest.spyOn(follower, 'ageMs', 'get').mockReturnValue(60_001);
  const refused = await node.call('GET', '/v1/sites');
  age.mockReturnValue(60_000);
  const answered = await node.call('GET', '/v1/sites');
  age.mockRestore();
  expect([refused.status, refused.headers['retry-after'], answered.status]).toEqual([503, '5', 200]);
});

describe('a domain whose claim leads nowhere', () => {
  const claim = async (domain: string, { site, ageMs }: { site: string; ageMs: number }) => {
    await postgres.pool.query(
      `INSERT INTO event_store.events (position, stream, revision, type, data, recorded_at)
       SELECT max(position) + 1, 'domain-' || $1, 0, 'DomainClaimed',
              jsonb_build_object('domain', $1::text, 'site', $2::text), now() - $3 * interval '1 millisecond'
       FROM event_store.events`,
      [domain, site, ageMs],
    );
  };
  const attempt = (domain: string) => node.call('POST', '/v1/sites', { body: { domain } });

  it('is left to a creation that may be under way', async () => {
    await claim('young.example', { site: 'sYoung', ageMs: 1_000 });
    expect((await attempt('young.example')).status).toBe(409);
  });

  it('is taken over once that creation must have died, and the dead can no longer rise', async () => {
    await claim('old.example', { site: 'sOld', ageMs: 60_000 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => attempt('old.example')));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      201,
      ...Array.from({ length: 19 }, () => 409),
    ]);
    const draft = { domain: 'old.example', merchant: 'default', name: 'n', timezone: 'UTC', currency: 'EUR' };
    const late = createSite('sOld', { ...draft, trackingIds: [] });
    const outcome = await node.app.get(EventStore).append(siteStream('sOld'), [late], 'none');
    expect(outcome.outcome).toBe('conflict');
    expect(sitesOf(node).find('sOld')).toBeUndefined();
  });

  it('is taken over at once when its site was deleted without a release', async () => {
    const { id } = await create('unreleased.example');
    await node.app.get(EventStore).append(siteStream(id), [deleteSite(id)], 0);
    expect((await attempt('unreleased.example')).status).toBe(201);
  });
});

describe('checking keys', () => {
  it('keeps nothing of keys that are unknown', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const keys = keysOf(node);
    const unknown = (n: number) => `tm_${String(n).padStart(32, 'x')}`;
    let found = 0;
    const guess = (from: number, to: number) => {
      for (let n = from; n < to; n++) if (keys.find(unknown(n)) !== undefined) found++;
      collectGarbage();
    };
    guess(0, 20_000);
    const before = process.memoryUsage().heapUsed;
    guess(20_000, 220_000);
    expect(found).toBe(0);
    // Kept, 200,000 keys of 35 characters would take 20 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000);
  });

  it('is much cheaper for a key that was seen before', async () => {
    const { id } = await create('cheap.example');
    const { key } = await issue(id);
    const keys = keysOf(node);
    const microsecondsPer = (find: () => void) => {
      for (let n = 0; n < 20_000; n++) find();
      const before = process.cpuUsage();
      for (let n = 0; n < 100_000; n++) find();
      return process.cpuUsage(before).user / 100_000;
    };
    const known = microsecondsPer(() => void keys.find(key));
    const unknown = microsecondsPer(() => void keys.find(`${key}x`));
    expect(known).toBeLessThan(unknown);
  });
});
