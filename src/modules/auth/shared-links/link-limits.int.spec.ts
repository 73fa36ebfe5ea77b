// How often those may ask who came by a shared link: each for themselves, and all of them together.
import {
  startControlPlane,
  OPERATOR_KEY,
  type ControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';

const OF_VISITOR = 3;
const OF_LINK = 8;

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  const environment = {
    OPERATOR_KEY,
    KEY_REQUESTS_PER_MINUTE_MAX: `${OF_LINK}`,
    LINK_VISITOR_REQUESTS_PER_MINUTE_MAX: `${OF_VISITOR}`,
    TRUST_PROXY: '1',
  };
  plane = await startControlPlane(postgres.pool, { environment });
});
afterAll(async () => {
  await plane?.close();
  await postgres.stop();
});

let sites = 0;
/** The operator's requests are few, too. */
async function linked(): Promise<{ token: string }> {
  const { body: site } = await plane.call('POST', '/v1/sites', { body: { domain: `l${++sites}.example` } });
  return (await plane.call('POST', `/v1/sites/${site.id}/shared-links`, { body: { name: 'l' } })).body;
}
const open = (token: string, from: string) =>
  plane.call('GET', `/v1/shared/${token}`, { key: null, headers: { 'x-forwarded-for': from } });

async function statuses(token: string, visits: readonly string[]): Promise<number[]> {
  const answers: number[] = [];
  for (const from of visits) answers.push((await open(token, from)).status);
  return answers;
}
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

it('refuses a visitor who asks too often, and neither another visitor nor theirs by another link', async () => {
  const [one, two] = [await linked(), await linked()];
  const first = await open(one.token, '192.0.2.1');
  expect(first.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-remaining': '2' });
  expect(await statuses(one.token, times(3, '192.0.2.1'))).toEqual([200, 200, 429]);
  const refused = await open(one.token, '192.0.2.1');
  expect(refused).toMatchObject({
    status: 429,
    headers: { 'retry-after': '20', 'ratelimit-limit': '3' },
    body: { type: '/problems/too-many-requests' },
  });
  expect(await statuses(one.token, ['192.0.2.2'])).toEqual([200]);
  expect(await statuses(two.token, ['192.0.2.1'])).toEqual([200]);
});

it('takes hosts of one IPv6 network for one visitor, whether they look or ask for numbers', async () => {
  const { token } = await linked();
  expect(await statuses(token, ['2001:db8::1', '2001:db8::2'])).toEqual([200, 200]);
  const headers = { 'x-forwarded-for': '2001:db8::3' };
  const begun = await plane.call('POST', `/v1/shared/${token}/session`, { key: null, headers, body: {} });
  expect(begun.status).toBe(200);
  const key: string = begun.body.access_token;
  // The session's own requests come from the same purse; what they are allowed is decided later.
  const asking = { key, headers: { 'x-forwarded-for': '2001:db8::4' } };
  expect((await plane.call('GET', '/v1/sites', asking)).status).toBe(429);
  const elsewhere = { key, headers: { 'x-forwarded-for': '2001:db8:1::4' } };
  expect((await plane.call('GET', '/v1/sites', elsewhere)).status).toBe(403);
});

it('refuses all of them beyond what the link may, of which refused visitors took nothing', async () => {
  const { token } = await linked();
  await statuses(token, times(20, '192.0.2.1'));
  const others = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5', '192.0.2.6'];
  expect(await statuses(token, others)).toEqual(times(OF_LINK - OF_VISITOR, 200));
  const last = await open(token, '192.0.2.7');
  expect([last.status, last.headers['ratelimit-limit']]).toEqual([429, `${OF_LINK}`]);
});
