// What holds for the clients of every vendor, asked over a real socket in Plausible's format.
import { gzipSync } from 'node:zlib';
import { type IngestApp, startIngestApp } from '../../../../../test/servers/ingest-app.js';

let at: IngestApp;
let site: string;
let key: string;
const EVENT = { name: 'pageview', url: 'https://shop.example/a', domain: 'shop.example' };

beforeAll(async () => {
  at = await startIngestApp();
  ({ site, key } = await at.createSite('shop.example', ['ingest:server']));
});
afterAll(() => at.stop());

const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${at.url}/api/event`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain', ...headers },
  });

const last = async () => (await at.logged()).at(-1)!;

it('takes an event without a key and says so in the words of the vendor', async () => {
  const answer = await post(JSON.stringify(EVENT));
  expect(answer.status).toBe(202);
  expect(await answer.text()).toBe('ok');
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(await last()).toMatchObject({ site, name: 'pageview', url: 'https://shop.example/a' });
});

it('keeps what the browser says of itself beside the body', async () => {
  const hints = { 'sec-ch-ua': '"Brave";v="146"', 'sec-ch-ua-platform': '"Linux"' };
  expect((await post(JSON.stringify(EVENT), hints)).status).toBe(202);
  expect((await last()).clientHints).toEqual({ brands: '"Brave";v="146"', platform: '"Linux"' });
});

it.each([
  ['its first bytes, without a header', {}],
  ['a header', { 'content-encoding': 'gzip' }],
  ['a form, as some say it is', { 'content-type': 'application/x-www-form-urlencoded' }],
])('inflates by %s', async (_, headers) => {
  const answer = await post(
    gzipSync(JSON.stringify({ ...EVENT, url: 'https://shop.example/zipped' })),
    headers,
  );
  expect(answer.status).toBe(202);
  expect((await last()).url).toBe('https://shop.example/zipped');
});

it('reads what a proxy has inflated although the header still says gzip', async () => {
  expect((await post(JSON.stringify(EVENT), { 'content-encoding': 'gzip' })).status).toBe(202);
});

it('refuses what would inflate beyond the limit, in the form of the vendor', async () => {
  const answer = await post(gzipSync(Buffer.alloc(30_000_000, 'a')));
  expect(answer.status).toBe(413);
  expect(await answer.json()).toEqual({ error: expect.stringContaining('larger') });
});

it.each([
  ['{', 400],
  ['', 400],
  ['[]', 400],
  ['{"name":"a","__proto__":{}}', 400],
  ['['.repeat(5_000), 400],
  ['{"name":"pageview"}', 400],
])('answers %j with %i', async (body, status) => {
  const answer = await post(body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
});

it('knows a site by its tracking ids, and nothing of one that does not exist', async () => {
  const changed = await fetch(`${at.url}/v1/sites/${site}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${at.operatorKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ trackingIds: ['my-shop'] }),
  });
  expect(changed.status).toBe(200);
  expect(
    (await post(JSON.stringify({ ...EVENT, domain: 'my-shop' }))).headers.get('x-plausible-dropped'),
  ).toBeNull();
  const unknown = await post(JSON.stringify({ ...EVENT, domain: 'nowhere.example' }));
  expect([unknown.status, unknown.headers.get('x-plausible-dropped')]).toEqual([202, '1']);
});

it('believes an address in a header of a server with its key only', async () => {
  const before = (await at.logged()).length;
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  const authorization = { authorization: `Bearer ${key}` };
  await post(JSON.stringify(EVENT), headers);
  await post(JSON.stringify(EVENT));
  await post(JSON.stringify(EVENT), { ...headers, ...authorization });
  const [forged, plain, given] = (await at.logged()).slice(before).map(({ visitor }) => visitor);
  expect(forged).toBe(plain);
  expect(given).not.toBe(plain);
});

it('refuses a key that is none, in the form of the vendor', async () => {
  const answer = await post(JSON.stringify(EVENT), { authorization: 'Bearer none' });
  expect(answer.status).toBe(401);
  expect(await answer.json()).toEqual({ error: expect.stringContaining('key') });
});

it('answers the preflight of any page', async () => {
  const answer = await fetch(`${at.url}/api/event`, { method: 'OPTIONS' });
  expect(answer.status).toBe(204);
  expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
});

it('counts what came under its wire format, all of it', async () => {
  const value = async (name: string) => {
    const { values } = await at.telemetry.registry
      .getSingleMetric(`tidemark_ingestion_events_${name}_total`)!
      .get();
    return values
      .filter(({ labels }) => labels.wire === 'plausible')
      .reduce((sum, one) => sum + one.value, 0);
  };
  const [received, accepted, duplicates, rejected, dropped] = await Promise.all(
    ['received', 'accepted', 'duplicates', 'rejected', 'dropped'].map(value),
  );
  expect(received).toBe(accepted! + duplicates! + rejected! + dropped!);
  expect(accepted).toBe((await at.logged()).length);
  expect(rejected).toBeGreaterThan(0);
});
