// What pages ask of intake: the tracker, in versions and encodings; a pageview as an image; events with the key of
// the page in the body. Over HTTP, against a real log.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type IngestApp, startIngestApp } from '../../../../test/servers/ingest-app.js';

const PAGE = 'https://shop.example/pricing';
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0' };

let app: IngestApp;
let site: { readonly site: string; readonly key: string };

beforeAll(async () => {
  app = await startIngestApp();
  site = await app.createSite('shop.example', ['ingest']);
}, 120_000);
afterAll(() => app?.stop());

const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
  fetch(app.url + path, { method, headers: { ...BROWSER, ...headers }, redirect: 'manual' });

/** As it came: `fetch` would decode it. */
const bytesOf = (path: string, headers: Readonly<Record<string, string>>) =>
  new Promise<{ bytes: Buffer; headers: IncomingHttpHeaders }>((resolve, reject) => {
    request(app.url + path, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ bytes: Buffer.concat(chunks), headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });

async function loggedAfter<T>(act: () => Promise<T>) {
  const before = new Set((await app.logged()).map(({ id }) => id));
  const answer = await act();
  return { answer, events: (await app.logged()).filter(({ id }) => !before.has(id)) };
}

describe.each(['t', 't.core'])('/%s.js', (name) => {
  const built = readFileSync(`tracker/dist/${name}.js`);
  const version = createHash('sha256').update(built).digest('hex').slice(0, 16);

  it('is the script, for pages of every origin, for a few minutes', async () => {
    const answer = await get(`/${name}.js`, { 'accept-encoding': 'identity' });
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(built);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=300, stale-while-revalidate=86400',
      'content-location': `/${name}-${version}.js`,
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
    });
    expect(answer.headers.has('set-cookie')).toBe(false);
  });

  it.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ['deflate', undefined, (bytes: Buffer) => bytes],
  ])('is sent as %s asks', async (accepted, encoding, decode) => {
    const { bytes, headers } = await bytesOf(`/${name}.js`, { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['etag']).toBe(`"${version}.${encoding ?? 'identity'}"`);
    expect(decode(bytes)).toEqual(built);
  });

  it('is not sent to who has it', async () => {
    const etag = (await get(`/${name}.js`)).headers.get('etag')!;
    const answer = await get(`/${name}.js`, { 'if-none-match': `"other", W/${etag}` });
    expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get(`/${name}.js`, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('is for ever what its content is named', async () => {
    const answer = await get(`/${name}-${version}.js`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(built);
  });

  it('stands in for other versions, and for nothing else', async () => {
    const other = await get(`/${name}-0123456789abcdef.js`);
    expect([other.status, other.headers.get('location'), other.headers.get('cache-control')]).toEqual([
      302,
      `/${name}.js`,
      'no-store',
    ]);
    for (const path of [`/${name}-x.js`, `/${name}-${version}.css`, `/${name}-`]) {
      expect((await get(path)).status).toBe(404);
    }
  });
});

describe('the image', () => {
  it('is a GIF of 43 bytes, and a pageview', async () => {
    const { answer, events } = await loggedAfter(() =>
      get(
        `/v1/pixel.gif?site=shop.example&url=${encodeURIComponent(PAGE)}&referrer=https://a.example/&title=T`,
      ),
    );
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/gif',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'cross-origin',
    });
    expect((await answer.arrayBuffer()).byteLength).toBe(43);
    expect(events).toMatchObject([
      { site: site.site, name: 'pageview', url: PAGE, referrer: 'https://a.example/', title: 'T' },
    ]);
  });

  it('is about the page that shows it, where none is named', async () => {
    const { events } = await loggedAfter(() => get('/v1/pixel.gif?site=shop.example', { referer: PAGE }));
    expect(events).toMatchObject([{ url: PAGE, userAgent: BROWSER['user-agent'] }]);
  });

  it('counts once under one id', async () => {
    const path = `/v1/pixel.gif?site=shop.example&id=once&name=Opened&url=${PAGE}`;
    const { events } = await loggedAfter(async () => [await get(path), await get(path)]);
    expect(events).toMatchObject([{ id: 'once', name: 'Opened' }]);
  });

  it('counts nothing for who only asks about it, or does not want to be counted', async () => {
    const path = `/v1/pixel.gif?site=shop.example&url=${PAGE}`;
    const { answer, events } = await loggedAfter(async () => [
      (await get(path, {}, 'HEAD')).status,
      (await get(path, { 'sec-gpc': '1' })).status,
    ]);
    expect(answer).toEqual([200, 200]);
    expect(events).toEqual([]);
  });

  it.each([
    ['', 400],
    ['?site=absent.example&url=https://shop.example/', 404],
    ['?site=shop.example', 400],
    ['?site=shop.example&url=nonsense', 400],
    ['?site=shop.example&site=shop.example&url=https://shop.example/', 400],
    ['?site=shop.example&url=https://a.example/&url=https://b.example/', 400],
  ])('says what is wrong with %s: %i', async (query, status) => {
    const { answer, events } = await loggedAfter(() => get(`/v1/pixel.gif${query}`));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(events).toEqual([]);
  });

  it('refuses a key in the URL', async () => {
    expect((await get(`/v1/pixel.gif?site=shop.example&url=${PAGE}&key=${site.key}`)).status).toBe(401);
  });

  it('is bound by what the site allows', async () => {
    const { site: id } = await app.createSite('strict.example', ['ingest']);
    await fetch(`${app.url}/v1/sites/${id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${app.operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ allowedOrigins: ['strict.example'] }),
    });
    const from = (referer: string) => get('/v1/pixel.gif?site=strict.example', { referer });
    expect((await from('https://strict.example/a')).status).toBe(200);
    expect((await from('https://evil.example/a')).status).toBe(403);
  });
});

describe('a key in the body', () => {
  const post = (body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${app.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
      body: JSON.stringify(body),
    });
  const events = [{ site: 'shop.example', url: PAGE }];

  it('is as good as one in the header', async () => {
    const { answer, events: logged } = await loggedAfter(() => post({ key: site.key, events }));
    expect([answer.status, await answer.json()]).toEqual([202, { accepted: 1, duplicates: 0, rejected: [] }]);
    expect(logged).toMatchObject([{ site: site.site, url: PAGE }]);
  });

  it.each([
    ['none', () => undefined],
    ['a made-up one', () => 'tm_madeUpMadeUpMadeUpMadeUpMadeUp'],
    ['no text', () => 5],
  ])('%s: 401', async (_, key) => {
    expect((await post({ key: key(), events })).status).toBe(401);
  });

  it('is not asked for where the header has one', async () => {
    const answer = await post({ key: 'nonsense', events }, { authorization: `Bearer ${site.key}` });
    expect(answer.status).toBe(202);
  });

  it('may not be a secret one', async () => {
    const { key } = await app.createSite('secret.example', ['ingest:server']);
    const answer = await post({ key, events: [{ url: PAGE }] });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('rotate it');
    expect((await post({ key: app.operatorKey, events })).status).toBe(401);
  });

  it('comes with the time of sending, which corrects the times of events', async () => {
    const sentAt = Date.now() - 3 * 3_600_000;
    const { events: logged } = await loggedAfter(() =>
      post({ key: site.key, sentAt, events: [{ url: PAGE, occurredAt: sentAt - 60_000 }] }),
    );
    const [{ occurredAt, receivedAt, timeReplaced }] = logged as [(typeof logged)[0]];
    expect(receivedAt - occurredAt).toBeGreaterThanOrEqual(60_000);
    expect(receivedAt - occurredAt).toBeLessThan(61_000);
    expect(timeReplaced).toBeUndefined();
    expect((await post({ key: site.key, sentAt: 'now', events })).status).toBe(400);
  });
});
