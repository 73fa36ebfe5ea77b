import {
  type Answer,
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { inRedis, PATIENT } from '../../../../test/redis-node.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { startRedis, type TestRedis } from '../../../../test/servers/redis.js';
import { RedisStore } from '../../../redis/redis-store.js';

const PEPPER = 'a pepper of at least 32 characters, for every node';
const limits = { OPERATOR_KEY, KEY_REQUESTS_PER_MINUTE_MAX: '3', REFUSED_KEYS_PER_MINUTE_MAX: '2' };

let postgres: MigratedPostgres;
let node: ControlPlane | undefined;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterEach(async () => {
  await node?.close();
  node = undefined;
});
afterAll(() => postgres.stop());

async function callMany(on: ControlPlane, times: number, key?: string | null): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let time = 0; time < times; time++) {
    answers.push(await on.call('GET', '/v1/sites', key === undefined ? {} : { key }));
  }
  return answers;
}

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);

it('answers 429 with Retry-After and what is left to a key that asks too often', async () => {
  node = await startControlPlane(postgres.pool, { environment: { ...limits, KEY_PEPPER: PEPPER } });
  const answers = await callMany(node, 4);
  expect(statuses(answers)).toEqual([200, 200, 200, 429]);
  expect(answers[0]!.headers).toMatchObject({
    'ratelimit-policy': '3;w=60',
    'ratelimit-limit': '3',
    'ratelimit-remaining': '2',
    'ratelimit-reset': '20',
  });
  const refused = answers[3]!;
  expect(refused.headers).toMatchObject({
    'content-type': expect.stringContaining('application/problem+json'),
    'retry-after': '20',
    'ratelimit-remaining': '0',
  });
  expect(refused.body).toMatchObject({ type: '/problems/too-many-requests', status: 429 });
});

it('answers 429 instead of 401 to an address that tries too many keys, and serves valid ones from there', async () => {
  node = await startControlPlane(postgres.pool, { environment: { ...limits, KEY_PEPPER: PEPPER } });
  expect(statuses(await callMany(node, 1, null))).toEqual([401]);
  expect(statuses(await callMany(node, 3, 'a-guessed-key'))).toEqual([401, 429, 429]);
  expect(statuses(await callMany(node, 1))).toEqual([200]);
});

it('lets every test and tool through by default', async () => {
  node = await startControlPlane(postgres.pool, { environment: { OPERATOR_KEY, KEY_PEPPER: PEPPER } });
  expect(new Set(statuses(await callMany(node, 50)))).toEqual(new Set([200]));
  expect(new Set(statuses(await callMany(node, 50, null)))).toEqual(new Set([401]));
});

describeWith('own-redis', 'two nodes with one Redis', () => {
  let redis: TestRedis;
  let other: ControlPlane;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    const environment = { ...limits, ...PATIENT, KEY_PEPPER: PEPPER, REDIS_URL: redis.url };
    node = await startControlPlane(postgres.pool, { environment });
    other = await startControlPlane(postgres.pool, { environment });
    for (const { app } of [node, other]) await app.get(RedisStore, { strict: false }).ready(5_000);
  });
  afterEach(async () => {
    await other.close();
    await redis.stop();
  });

  it('count together, and keep no address', async () => {
    expect(statuses([...(await callMany(node!, 2)), ...(await callMany(other, 2))])).toEqual([
      200, 200, 200, 429,
    ]);
    await callMany(node!, 1, null);
    expect(statuses(await callMany(other, 2, null))).toEqual([401, 429]);
    const keys = await inRedis(redis.url, (client) => client.keys('*'));
    expect(keys).toContainEqual(expect.stringMatching(/^tidemark:limit:refused:[0-9a-f]{32}$/));
    expect(JSON.stringify(keys)).not.toContain('127.0.0.1');
  });

  it('answer all the same while Redis hangs, and soon', async () => {
    redis.process.pause();
    const startedMs = performance.now();
    expect(statuses(await callMany(node!, 3))).toEqual([200, 200, 200]);
    expect(statuses(await callMany(node!, 20)).filter((status) => status !== 429)).toEqual([]);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });
});
