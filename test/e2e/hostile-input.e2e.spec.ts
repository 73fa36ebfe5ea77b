// Whatever is thrown at intake over a real socket: the right refusal as problem+json, never a 5xx,
// and nothing else affected. A good event is sent before and after each.
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type IngestApp, startIngestApp } from '../servers/ingest-app.js';

const PAGE = 'https://shop.example/';
const MIB = 1_048_576;

let app: IngestApp;
let site: string;
let key: string;
let serverKey: string;
let other: { site: string; key: string };
let statsKey: string;

beforeAll(async () => {
  app = await startIngestApp();
  ({ site, key } = await app.createSite('shop.example', ['ingest']));
  other = await app.createSite('other.example', ['ingest']);
  ({ key: serverKey } = await app.createSite('server.example', ['ingest:server']));
  ({ key: statsKey } = await app.createSite('stats.example', ['stats:read']));
});
afterAll(() => app?.stop());

interface Sending {
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: string | null;
  readonly method?: string;
}

interface Body {
  readonly accepted?: number;
  readonly errors?: readonly unknown[];
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body | undefined;
}

async function send({ body, headers, as = key, method = 'POST' }: Sending): Promise<Answer> {
  const answer = await fetch(`${app.url}/v1/events`, {
    method,
    headers: {
      ...(method === 'POST' && { 'content-type': 'application/json' }),
      ...(as !== null && { authorization: `Bearer ${as}` }),
      ...headers,
    },
    body,
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? undefined : (JSON.parse(text) as Body),
  };
}

const sendEvent = (fields: unknown, sending: Sending = {}) =>
  send({ body: JSON.stringify(fields), ...sending });

async function expectGoodEvent(): Promise<void> {
  const { status, body } = await sendEvent({ url: PAGE });
  expect([status, body]).toEqual([202, { accepted: 1, duplicates: 0, rejected: [] }]);
}

function expectProblem({ status, headers, body }: Answer, expected: number): void {
  expect([status, body]).toEqual([expected, expect.objectContaining({ status: expected })]);
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(headers.get('access-control-allow-origin')).toBe('*');
  expect(body).toEqual({
    type: expect.any(String),
    title: expect.any(String),
    status: expected,
    detail: expect.any(String),
    ...(body?.errors && { errors: expect.any(Array) }),
  });
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const event = (fields: string) => `{"url":"${PAGE}",${fields}}`;

describe('refuses', () => {
  beforeEach(expectGoodEvent);
  afterEach(expectGoodEvent);

  it.each<[what: string, status: number, sending: () => Sending]>([
    ['no body', 400, () => ({ body: '' })],
    ['malformed JSON', 400, () => ({ body: '{"url":' })],
    ['JSON with a tail', 400, () => ({ body: `{"url":"${PAGE}"}}` })],
    ['a body that is not UTF-8', 400, () => ({ body: Buffer.from([0xff, 0xfe, 0x7b]) })],
    ['JSON nested 5,000 deep', 400, () => ({ body: nested(5_000) })],
    ['JSON nested 5,000 deep in a property', 400, () => ({ body: event(`"props":{"a":${nested(5_000)}}`) })],
    ['JSON nested 5,000 deep in an unknown field', 400, () => ({ body: event(`"x":${nested(5_000)}`) })],
    ['JSON nested 400,000 deep', 400, () => ({ body: nested(400_000) })],
    ['__proto__ in properties', 400, () => ({ body: event('"props":{"__proto__":{"admin":true}}') })],
    ['a scalar __proto__ in properties', 400, () => ({ body: event('"props":{"__proto__":1}') })],
    ['__proto__ beside the fields', 400, () => ({ body: event('"__proto__":{"server":true}') })],
    ['constructor.prototype', 400, () => ({ body: event('"props":{"constructor":{"prototype":{"a":1}}}') })],
    ['constructor', 400, () => ({ body: event('"props":{"constructor":"x"}') })],
    ['NUL in a name', 400, () => ({ body: event('"name":"a\\u0000b"') })],
    ['NUL in an id', 400, () => ({ body: event('"id":"\\u0000"') })],
    ["NUL in a property's name", 400, () => ({ body: event('"props":{"\\u0000":1}') })],
    ['a lone surrogate in a name', 400, () => ({ body: event('"name":"\\ud800"') })],
    ['a bare NUL in JSON', 400, () => ({ body: event('"name":"a\0"') })],
    ['1e400', 400, () => ({ body: event('"props":{"a":1e400}') })],
    ['2^53 + 1', 400, () => ({ body: event('"props":{"a":9007199254740993}') })],
    ['NaN', 400, () => ({ body: event('"props":{"a":NaN}') })],
    ['an amount of 1e400', 400, () => ({ body: event('"revenue":{"amount":1e400,"currency":"EUR"}') })],
    ['a time of 1e400', 400, () => ({ body: event('"occurredAt":1e400') })],
    ['a number as URL', 400, () => ({ body: '{"url":5}' })],
    ['a script as URL', 400, () => ({ body: '{"url":"javascript:alert(1)"}' })],
    ['no URL', 400, () => ({ body: '{}' })],
    ['null', 400, () => ({ body: 'null' })],
    ['text', 400, () => ({ body: '"hello"' })],
    ['a number', 400, () => ({ body: '5' })],
    ['an empty array', 400, () => ({ body: '[]' })],
    ['events that are no array', 400, () => ({ body: '{"events":{}}' })],
    ['an array of arrays', 400, () => ({ body: '[[],[]]' })],
    ['fields for servers', 400, () => ({ body: event('"visitorId":"v"') })],
    [
      '1,001 events',
      413,
      () => ({ body: JSON.stringify(Array.from({ length: 1_001 }, () => ({ url: PAGE }))) }),
    ],
    ['more than 1 MiB', 413, () => ({ body: JSON.stringify([{ url: PAGE, x: 'x'.repeat(MIB) }]) })],
    [
      'a gzip bomb',
      413,
      () => ({ body: gzipSync(Buffer.alloc(100 * MIB, 32)), headers: { 'content-encoding': 'gzip' } }),
    ],
    ['a body that is not gzip', 400, () => ({ body: '{}', headers: { 'content-encoding': 'gzip' } })],
    [
      'half a gzip',
      400,
      () => ({ body: gzipSync('[1,2,3]').subarray(0, 15), headers: { 'content-encoding': 'gzip' } }),
    ],
    ['an unknown encoding', 415, () => ({ body: '{}', headers: { 'content-encoding': 'zstd' } })],
    [
      'a form',
      415,
      () => ({ body: 'url=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ],
    ['an unknown site', 404, () => ({ body: event('"site":"nowhere.example"') })],
    ['a site the key is not good for', 404, () => ({ body: event('"site":"other.example"') })],
    ['no key', 401, () => ({ body: event('"x":1'), as: null })],
    ['an unknown key', 401, () => ({ body: event('"x":1'), as: 'x'.repeat(40) })],
    ['an over-long key', 401, () => ({ body: event('"x":1'), as: 'x'.repeat(5_000) })],
    [
      'another scheme',
      401,
      () => ({ body: event('"x":1'), as: null, headers: { authorization: `Basic ${key}` } }),
    ],
    ['a key without the scope', 403, () => ({ body: event('"x":1'), as: statsKey })],
  ])('%s with %i', async (_what, status, sending) => {
    expectProblem(await send(sending()), status);
  });

  it('a foreign site and an absent one in the same words', async () => {
    const foreign = await sendEvent({ url: PAGE, site: other.site });
    const absent = await sendEvent({ url: PAGE, site: 'nowhere.example' });
    expect(foreign.body).toEqual(absent.body);
  });

  it('a batch without a good event, naming each', async () => {
    const { status, body } = await sendEvent({ events: [{ url: 'no' }, 7] });
    expect(status).toBe(400);
    expect(body?.errors).toEqual([
      { path: 'events[0]', message: expect.any(String), index: 0, reason: 'url_invalid' },
      { path: 'events[1]', message: expect.any(String), index: 1, reason: 'event_invalid' },
    ]);
  });

  it('both framings of a body at once', async () => {
    const { hostname, port } = new URL(app.url);
    const reply = await new Promise<string>((resolve, reject) => {
      let text = '';
      connect(Number(port), hostname)
        .on('data', (chunk) => (text += String(chunk)))
        .on('close', () => resolve(text))
        .on('error', reject)
        .end(
          'POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        );
    });
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('a body that goes on for ever, as soon as it is too large', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const sending = httpRequest(`${app.url}/v1/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
      const chunk = ' '.repeat(65_536);
      const timer = setInterval(() => sending.write(chunk), 1);
      sending.on('response', (answer) => resolve(answer.statusCode!));
      sending.on('error', reject);
      sending.on('close', () => clearInterval(timer));
      setTimeout(() => reject(new Error('never refused')), 60_000).unref();
    });
    expect(status).toBe(413);
  });
});

describe('takes', () => {
  it('the good events of a mixed batch, naming the others', async () => {
    const { status, body } = await sendEvent([
      { url: PAGE },
      { url: PAGE, name: '\u0000' },
      { url: PAGE, site: 'nowhere.example' },
      { url: PAGE, site },
    ]);
    expect([status, body]).toEqual([
      202,
      {
        accepted: 2,
        duplicates: 0,
        rejected: [
          { index: 1, reason: 'text_invalid', detail: expect.any(String) },
          { index: 2, reason: 'site_unknown', detail: expect.any(String) },
        ],
      },
    ]);
  });

  it.each<[string, () => Sending]>([
    ['text/plain, as sendBeacon sends', () => ({ headers: { 'content-type': 'text/plain;charset=UTF-8' } })],
    [
      'gzip',
      () => ({ body: gzipSync(JSON.stringify({ url: PAGE })), headers: { 'content-encoding': 'gzip' } }),
    ],
  ])('%s', async (_what, sending) => {
    const { status, body } = await sendEvent({ url: PAGE }, sending());
    expect([status, body?.accepted]).toEqual([202, 1]);
  });

  it('a domain in any case for a site, and double keys by their last value', async () => {
    const { status } = await send({ body: event('"site":"nowhere","site":"WWW.Shop.Example"') });
    expect(status).toBe(202);
  });

  it('an event of a browser that opted out, without keeping it', async () => {
    const { status, body } = await sendEvent({ url: `${PAGE}gpc` }, { headers: { 'sec-gpc': '1' } });
    expect([status, body]).toEqual([202, { accepted: 0, duplicates: 0, dropped: 1, rejected: [] }]);
    expect(JSON.stringify(await app.logged())).not.toContain('/gpc');
  });

  it('a preflight from any origin', async () => {
    const { status, headers } = await send({
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
      as: null,
    });
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, OPTIONS',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '86400',
    });
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('title and values with NUL and lone surrogates, made storable', async () => {
    const { status } = await send({
      body: event('"id":"repaired","title":"a\\u0000\\ud800","props":{"a":"\\udfff"}'),
    });
    expect(status).toBe(202);
    const kept = (await app.logged()).find(({ id }) => id === 'repaired')!;
    expect([kept.title, kept.props]).toEqual(['a\ufffd\ufffd', { a: '\ufffd' }]);
  });

  it('no address into the log, whoever gives it', async () => {
    const body = JSON.stringify({ url: PAGE, id: 'addressed', ip: '203.0.113.77', visitorId: 'v' });
    const { status } = await send({ body, as: serverKey, headers: { 'x-forwarded-for': '203.0.113.78' } });
    expect(status).toBe(202);
    const text = JSON.stringify(await app.logged());
    expect(text).toContain('"addressed"');
    expect(text).not.toMatch(/203\.0\.113|127\.0\.0\.1/);
  });

  it('the same id twice as one accepted and one duplicate', async () => {
    const first = await sendEvent({ url: PAGE, id: 'twice' });
    const second = await sendEvent({ url: PAGE, id: 'twice' });
    expect([first.body, second.body]).toEqual([
      { accepted: 1, duplicates: 0, rejected: [] },
      { accepted: 0, duplicates: 1, rejected: [] },
    ]);
  });
});

describe('never answers 5xx', () => {
  const FIELDS = [
    'site',
    'id',
    'name',
    'url',
    'referrer',
    'title',
    'occurredAt',
    'props',
    'revenue',
    'interactive',
  ];
  const MORE = [
    'engagementMs',
    'scrollDepth',
    'visitorId',
    'userId',
    'ip',
    'userAgent',
    'language',
    'screen',
  ];
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '\ud800', '__proto__', '😀', PAGE),
  );
  const anyValue = fc.oneof(
    anyText,
    fc.double(),
    fc.jsonValue({ maxDepth: 4 }),
    fc.constant({ amount: -0, currency: 'EUR' }),
  );
  const anyEvent = fc.dictionary(fc.constantFrom(...FIELDS, ...MORE), anyValue);
  const goodWith = anyEvent.map((fields) => ({ ...fields, url: PAGE, site: undefined }));

  const check = async (body: string | Buffer, as: string) => {
    const { status } = await send({ body, as });
    expect([202, 400, 404, 413]).toContain(status);
  };

  it('to any bytes', async () => {
    const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(anyBytes, (body) => check(body, key)),
      { numRuns: 200 },
    );
  });

  it('to any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), (body) => check(body, key)),
      { numRuns: 200 },
    );
  });

  it('to events of any fields, from a page or a server', async () => {
    const events = fc.array(fc.oneof(anyEvent, goodWith), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(events, fc.boolean(), (body, server) =>
        check(JSON.stringify(body), server ? serverKey : key),
      ),
      { numRuns: 400 },
    );
  });

  afterAll(async () => {
    await expectGoodEvent();
    // What got into the log is what PostgreSQL can keep.
    for (const kept of await app.logged()) expect(JSON.stringify(kept)).not.toMatch(/\\u0000|\\ud[89a-f]/i);
  });
});
