import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, Get, HttpCode, Module, NotFoundException, Param, Post } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { BODY_BYTES_MAX, INFLATED_BYTES_MAX, NESTING_MAX } from './body.js';
import { httpAdapter, setUpHttp } from './http-server.js';
import { Problem } from './problem.js';
import { AnswersEarly, AnswersErrors, IntakeRoute } from './route-kind.js';

@Controller()
class EchoController {
  @Post('echo')
  @HttpCode(200)
  echo(@Body() body: unknown): { body: unknown } {
    return { body };
  }

  @Post('intake')
  @HttpCode(202)
  @IntakeRoute()
  intake(@Body() body: unknown): { body: unknown } {
    return { body };
  }

  @Post('early')
  @HttpCode(200)
  @AnswersEarly('test')
  early(@Body() body: unknown): { body: unknown } {
    return { body };
  }

  @Post('dialect')
  @AnswersErrors(({ status, detail }) => ({ status: status === 404 ? 401 : status, body: { error: detail } }))
  dialect(@Body() body: { absent?: boolean }): object {
    if (body.absent) throw Problem.notFound('There is no such thing.');
    throw Problem.unavailable('The log is full.', 7);
  }

  @Get('things/:id')
  thing(@Param('id') id: string): { id: string } {
    if (id === 'busy') throw Problem.unavailable('The log is full.', 7);
    if (id === 'unsaid')
      throw new Problem({ status: 429, type: 'too-many-things', title: 'Too many things' });
    if (id === 'absent') throw new NotFoundException();
    if (id === 'away')
      throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' });
    if (id === 'broken') throw new Error('the password is hunter2');
    return { id };
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

let app: NestFastifyApplication;
let url: string;
let telemetry: Telemetry;
const lines: string[] = [];

beforeAll(async () => {
  telemetry = new Telemetry('debug', { write: (line) => void lines.push(line) });
  const testing = await Test.createTestingModule({ imports: [EchoModule] }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(httpAdapter(readConfig({})), {
    logger: false,
    bodyParser: false,
  });
  setUpHttp(app, telemetry);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  app
    .getHttpAdapter()
    .getInstance()
    .earlyAnswers.give('test', ({ text }) => {
      if (text === '"throw"') throw Problem.unavailable('Not now.', 7);
      if (text === '"reject"') return Promise.reject(Problem.unavailable('Not now.', 7));
      if (text === '"not modified"') return { status: 304, headers: ['etag', '"e"'] };
      if (!text.includes('known')) return undefined;
      const body = Buffer.from(`early ${text}`).toString('latin1');
      const answer = { status: 200, headers: ['content-type', 'text/plain'], body };
      return text.includes('later') ? Promise.resolve(answer) : answer;
    });
});

afterAll(() => app.close());

interface Sent {
  readonly path?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Record<string, string>;
}

const post = ({ path = '/echo', body = '{}', headers = {} }: Sent) =>
  fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

const problem = async (answer: Response) => {
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  const body = (await answer.json()) as { type: string; title: string; status: number; detail?: string };
  expect(body.status).toBe(answer.status);
  expect(body.title).toBeTruthy();
  return body;
};

/** Sends bytes as they are; resolves with everything that came back once the server closed. */
const raw = (...writes: readonly string[]) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer)).on('error', reject);
    for (const write of writes) socket.write(write);
  });

describe('a route that answers early', () => {
  const early = (body: Sent['body'], headers: Sent['headers'] = {}) =>
    post({ path: '/early', body, headers });

  const DATA = [
    'x-request-id',
    'content-security-policy',
    'cross-origin-resource-policy',
    'strict-transport-security',
    'x-content-type-options',
  ];

  it('answers what is known, with the headers of its other answers, and leaves the rest to the handler', async () => {
    const known = await early('{"known":"ü"}', { 'x-request-id': 'mine' });
    expect([known.status, await known.text()]).toEqual([200, 'early {"known":"ü"}']);
    expect(known.headers.get('x-request-id')).toBe('mine');
    expect(await (await early('"known later"')).text()).toBe('early "known later"');
    const left = await early('{"a":"ü"}');
    expect(await left.json()).toEqual({ body: { a: 'ü' } });
    const same = await early('"not modified"');
    expect([same.status, same.headers.get('etag'), await same.text()]).toEqual([304, '"e"', '']);
    for (const name of DATA) {
      for (const answer of [known, left, same]) expect(answer.headers.get(name)).toBeTruthy();
      if (name !== 'x-request-id') expect(known.headers.get(name)).toBe(left.headers.get(name));
    }
  });

  it('leaves to the handler what comes packed or is long, and what it fails at', async () => {
    const packed = new Uint8Array(gzipSync('"known"'));
    const unpacked = await early(packed, { 'content-encoding': 'gzip' });
    expect(await unpacked.json()).toEqual({ body: 'known' });
    const long = `known ${'x'.repeat(20_000)}`;
    expect(await (await early(JSON.stringify(long))).json()).toEqual({ body: long });
    for (const text of ['throw', 'reject'])
      expect(await (await early(JSON.stringify(text))).json()).toEqual({ body: text });
  });

  const request = (body: string, { more = '', length = body.length } = {}) =>
    `POST /early HTTP/1.1\r\nHost: a\r\n${more}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;

  it('waits for the rest of a body, and answers one after the other what comes together', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answers = '';
    socket.on('data', (chunk) => (answers += chunk.toString()));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(request('"known', { length: 9 }));
    await delay(50);
    socket.write(' 1"');
    await delay(50);
    expect(answers).toMatch(/early "known 1"$/);
    const last = request('"known 4"', { more: 'Connection: close\r\n' });
    socket.write(request('"known 2"') + request('"later known 3"') + request('"echo"') + last);
    await closed;
    const bodies = [...answers.matchAll(/\r\n\r\n([^\r]*?)(?=HTTP|$)/g)].map(([, body]) => body);
    expect(bodies).toEqual([
      'early "known 1"',
      'early "known 2"',
      'early "later known 3"',
      '{"body":"echo"}',
      'early "known 4"',
    ]);
  });

  it('is counted like any other, by its route', async () => {
    const counted = async () => {
      const samples = await telemetry.registry.metrics();
      const sample =
        /^tidemark_http_request_duration_seconds_count\{.*route="\/early".*status="200".*\} (\d+)$/m;
      return Number(sample.exec(samples)?.[1] ?? 0);
    };
    const before = await counted();
    await early('"known"');
    expect(await counted()).toBe(before + 1);
    expect(lines.at(-1)).toContain('"route":"/early"');
  });

  it('refuses as any other', async () => {
    expect((await problem(await early('{"a":'))).status).toBe(400);
    expect((await problem(await early(`"${'x'.repeat(BODY_BYTES_MAX)}"`))).status).toBe(413);
    expect((await problem(await early('"known"', { 'content-type': 'text/plain' }))).status).toBe(415);
  });
});

describe('bodies', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('reads JSON compressed with %s', async (encoding, compress) => {
    const answer = await post({
      body: new Uint8Array(compress('{"a":"ü"}')),
      headers: { 'content-encoding': encoding },
    });
    expect(await answer.json()).toEqual({ body: { a: 'ü' } });
  });

  it('refuses more bytes than the limit, whether announced or not', async () => {
    const body = `"${'x'.repeat(BODY_BYTES_MAX)}"`;
    expect((await problem(await post({ body }))).type).toBe('/problems/too-large');
    const chunk = 'y'.repeat(65_536);
    const chunked = await raw(
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      ...Array.from({ length: 17 }, () => `10000\r\n${chunk}\r\n`),
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('reads a body of exactly the limit', async () => {
    expect((await post({ body: `"${'x'.repeat(BODY_BYTES_MAX - 2)}"` })).status).toBe(200);
  });

  it('refuses what inflates beyond the limit without holding it in memory', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(100 * 1_048_576)));
    expect(bomb.length).toBeLessThan(BODY_BYTES_MAX);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 5; round++) {
      const answer = await post({ body: bomb, headers: { 'content-encoding': 'gzip' } });
      expect((await problem(answer)).detail).toContain(String(INFLATED_BYTES_MAX));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
  });

  it('refuses damaged and unknown encodings', async () => {
    const cut = new Uint8Array(gzipSync('{"a":1}').subarray(0, 12));
    const damaged = await post({ body: cut, headers: { 'content-encoding': 'gzip' } });
    expect((await problem(damaged)).status).toBe(400);
    const unknown = await post({ headers: { 'content-encoding': 'constructor' } });
    expect((await problem(unknown)).status).toBe(415);
  });

  it.each([
    ['an empty body', '', /empty/],
    ['malformed JSON', '{"a":', /not valid JSON/],
    ['__proto__', '{"__proto__":{"a":1}}', /__proto__/],
    ['an escaped __proto__', String.raw`{"\u005f_proto__":{"a":1}}`, /__proto__/],
    ['constructor.prototype', '{"constructor":{"prototype":{"a":1}}}', /constructor/],
    ['deep nesting', '['.repeat(5_000) + ']'.repeat(5_000), /nested/],
    [
      'deep nesting of objects',
      '{"a":'.repeat(NESTING_MAX + 1) + '1' + '}'.repeat(NESTING_MAX + 1),
      /nested/,
    ],
  ])('refuses %s', async (_name, body, detail) => {
    const answer = await post({ body });
    expect(answer.status).toBe(400);
    expect((await problem(answer)).detail).toMatch(detail);
  });

  it('takes brackets inside strings, wide bodies and the deepest allowed nesting for what they are', async () => {
    const bodies = [
      JSON.stringify(['['.repeat(1_000), '\\"[[', '{'.repeat(1_000)]),
      JSON.stringify(Array.from({ length: 1_000 }, () => [{}])),
      '['.repeat(NESTING_MAX) + ']'.repeat(NESTING_MAX),
      '{"constructor":"McLaren"}',
    ];
    for (const body of bodies)
      expect(await (await post({ body })).json()).toEqual({ body: JSON.parse(body) });
  });

  it('reads text/plain as JSON on intake routes only', async () => {
    const headers = { 'content-type': 'text/plain;charset=UTF-8' };
    const taken = await post({ path: '/intake', body: '{"a":1}', headers });
    expect([taken.status, await taken.json()]).toEqual([202, { body: { a: 1 } }]);
    expect((await problem(await post({ body: '{"a":1}', headers }))).status).toBe(415);
  });

  it.each(['application/xml', 'application/x-www-form-urlencoded'])(
    'refuses the content type %j and says which one it takes',
    async (type) => {
      const answer = await post({ body: '<a/>', headers: { 'content-type': type } });
      expect(await problem(answer)).toMatchObject({
        status: 415,
        detail: 'Send the body as Content-Type: application/json.',
      });
    },
  );
});

describe('a route with an error form of its own', () => {
  it('answers so what a handler throws, with the headers of the status', async () => {
    const absent = await post({ path: '/dialect', body: '{"absent":true}' });
    expect([absent.status, await absent.json()]).toEqual([401, { error: 'There is no such thing.' }]);
    expect(absent.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(absent.headers.get('www-authenticate')).toBe('Bearer');
    const busy = await post({ path: '/dialect' });
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '7']);
  });

  it('answers so what fails before the handler', async () => {
    const malformed = await post({ path: '/dialect', body: '{"a":' });
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toEqual({ error: expect.stringContaining('not valid JSON') });
    const large = await post({ path: '/dialect', body: `"${'x'.repeat(BODY_BYTES_MAX)}"` });
    expect([large.status, Object.keys((await large.json()) as object)]).toEqual([413, ['error']]);
  });
});

describe('answers', () => {
  it('answers an unknown path with 404 and a wrong method with 405 and Allow', async () => {
    expect((await problem(await fetch(`${url}/nothing?key=secret`))).type).toBe('/problems/not-found');
    const wrong = await fetch(`${url}/things/7`, { method: 'DELETE' });
    expect(wrong.headers.get('allow')).toBe('GET, HEAD');
    expect((await problem(wrong)).status).toBe(405);
    const body = await post({ path: '/things/7', body: '{' });
    expect((await problem(body)).status).toBe(405);
  });

  it('says Retry-After when trying again helps', async () => {
    const busy = await fetch(`${url}/things/busy`);
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '7']);
    const away = await fetch(`${url}/things/away`);
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '2']);
    // Where whoever refuses does not say when.
    const unsaid = await fetch(`${url}/things/unsaid`);
    expect([unsaid.status, unsaid.headers.get('retry-after')]).toEqual([429, '2']);
    expect(JSON.stringify(await problem(away))).not.toContain('10.1.2.3');
  });

  it('tells the client nothing about an unexpected failure, and the log everything', async () => {
    const answer = await fetch(`${url}/things/broken`, { headers: { 'x-request-id': 'find-me' } });
    expect(JSON.stringify(await problem(answer))).not.toContain('hunter2');
    expect(lines.some((line) => line.includes('find-me') && line.includes('hunter2'))).toBe(true);
  });

  it('answers broken percent-encoding and over-long parameters as problems', async () => {
    expect((await problem(await fetch(`${url}/things/%zz`))).status).toBe(400);
    expect((await problem(await fetch(`${url}/things/${'x'.repeat(400)}`))).status).toBe(414);
  });

  it('echoes a harmless request id and replaces any other', async () => {
    const ask = async (id: string) =>
      (await fetch(`${url}/things/1`, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await ask('abc-123')).toBe('abc-123');
    expect(await ask('a'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ask('{"level":60}')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('protects pages, lets no other origin read, and keeps intake lean', async () => {
    const page = await fetch(`${url}/things/1`, { headers: { origin: 'https://elsewhere.example' } });
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('access-control-allow-origin')).toBeNull();
    const intake = await post({ path: '/intake' });
    expect(intake.headers.get('content-security-policy')).toBeNull();
    expect(intake.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('counts requests by route, with how long they took', async () => {
    await fetch(`${url}/things/a`);
    await fetch(`${url}/things/b`);
    const lines = (await telemetry.registry.metrics()).split('\n');
    const value = (series: string) =>
      Number(
        lines
          .find((line) => line.startsWith(`tidemark_http_request_duration_seconds_${series}`))
          ?.split(' ')[1],
      );
    const route = 'method="GET",route="/things/:id",status="200"';
    expect(value(`count{${route}}`)).toBeGreaterThanOrEqual(2);
    expect(value(`bucket{le="10",${route}}`)).toBe(value(`count{${route}}`));
    expect(value(`bucket{le="+Inf",${route}}`)).toBe(value(`count{${route}}`));
    expect(value(`sum{${route}}`)).toBeGreaterThan(0);
  });

  it('writes neither addresses nor query strings into its log', async () => {
    await fetch(`${url}/things/1?email=jo@example.org`, {
      headers: { authorization: 'Bearer key-in-header' },
    });
    expect(lines.join('')).toContain('/things/:id');
    expect(lines.join('')).not.toMatch(/127\.0\.0\.1|jo@example|key-in-header|key=secret/);
  });
});

describe('connections', () => {
  it('answers bytes that are not HTTP with a problem', async () => {
    const answer = await raw('NONSENSE\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
  });

  it('refuses Transfer-Encoding together with Content-Length', async () => {
    const answer = await raw(
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('ends a dripped request with 408 in time', async () => {
    const startedAt = Date.now();
    const [headers, body] = await Promise.all([
      raw('POST /echo HTTP/1.1\r\nHost:'),
      raw('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'),
    ]);
    expect(headers).toMatch(/^HTTP\/1\.1 408 /);
    expect(body).toMatch(/^HTTP\/1\.1 408 /);
    expect(Date.now() - startedAt).toBeLessThan(20_000);
  });

  it('does not mind a client that hangs up in the middle of a body', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n' +
        'Content-Length: 900\r\n\r\nhalf',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    expect((await fetch(`${url}/things/1`)).status).toBe(200);
  });
});
