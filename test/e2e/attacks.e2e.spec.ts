// Accounts as somebody outside attacks them, over HTTP on the product as it runs: forged and stale tokens, guesses,
// mails and invitations of others.
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { totpSecretOf } from '../totp-secret.js';
import { codeOf, stepAt } from '../../src/modules/auth/people/totp.js';
import { tokenIn } from '../servers/mail-server.js';
import { type Answer, OutsideTester, PASSWORD, type Signed, withoutRequest } from './outside-tester.js';

const WRONG = 'wrong horse battery staple';
const GUESSES = 1_000;

let tester: OutsideTester;
/** Where a hostile token says that its key is. */
let listener: Server;
let fetched = 0;

beforeAll(async () => {
  tester = await OutsideTester.start();
  listener = createServer((_, response) => {
    fetched++;
    response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()));
}, 180_000);
afterEach(() => expect(tester.faults.splice(0)).toEqual([]));
afterAll(async () => {
  await tester?.stop();
  listener?.close();
});

const call: OutsideTester['call'] = (...request) => tester.call(...request);
const post = (path: string, body: object, key?: string) => call('POST', path, { body, key });
const me = (key: string) => call('GET', '/v1/me', { key });
const listening = () => `http://127.0.0.1:${(listener.address() as AddressInfo).port}/keys.json`;

describe('a token', () => {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  let own: Signed;
  let header: string;
  let payload: string;
  let signature: string;
  let published: JWK & { kid: string };

  beforeAll(async () => {
    own = await tester.signUp('tokens@shop.example');
    [header, payload, signature] = own.key.split('.') as [string, string, string];
    const { body } = await call('GET', '/.well-known/jwks.json');
    [published] = body.keys as [JWK & { kid: string }];
    expect((await me(own.key)).status).toBe(200);
  });
  const claims = () => JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;

  it.each(['none', 'None', 'NONE'])('with the algorithm %s is refused', async (alg) => {
    const head = encoded({ alg, typ: 'at+jwt', kid: published.kid });
    for (const tail of ['', signature]) expect((await me(`${head}.${payload}.${tail}`)).status).toBe(401);
  });

  it('signed with what everybody can read, as if that were a secret, is refused', async () => {
    const publicKey = await importJWK({ ...published }, 'ES256', { extractable: true });
    const pem = await exportSPKI(publicKey as never);
    for (const secret of [pem, pem.trim(), JSON.stringify(published), published.x!, '']) {
      const signed = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: published.kid })}.${payload}`;
      const tag = createHmac('sha256', secret).update(signed).digest('base64url');
      expect((await me(`${signed}.${tag}`)).status).toBe(401);
    }
  });

  it('that brings its key, or says where one is, is refused, and nothing is fetched', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const kids = [
      published.kid,
      "' OR 1=1; DROP TABLE people.signing_keys --",
      '../../../../../etc/passwd',
      '/dev/null',
      `${listening()}#`,
      'x'.repeat(2_000),
      '\u0000',
    ];
    const headers = [
      ...kids.map((kid) => ({ kid })),
      { kid: published.kid, jwk },
      { kid: published.kid, jku: listening() },
      { jku: listening() },
      { kid: published.kid, x5u: listening() },
      { x5c: ['AAAA'] },
    ];
    for (const one of headers) {
      const forged = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...one })
        .sign(privateKey);
      expect([one, (await me(forged)).status]).toEqual([one, 401]);
    }
    const long = encoded({ alg: 'ES256', typ: 'at+jwt', kid: 'x'.repeat(7_000) });
    expect((await me(`${long}.${payload}.${signature}`)).status).toBe(401);
    expect(fetched).toBe(0);
  });

  it.each<[string, object]>([
    ['audience', { aud: 'https://evil.example' }],
    ['issuer', { iss: 'https://evil.example' }],
    ['merchant', { merchant: 'default' }],
    ['person', { sub: 'p11111111111' }],
    ['end', { exp: 9_999_999_999 }],
    ['generation', { generation: 1_000 }],
  ])('of which the %s was changed is refused', async (_, change) => {
    const forged = `${header}.${encoded({ ...claims(), ...change })}.${signature}`;
    expect((await me(forged)).status).toBe(401);
  });

  it('is not good for what the other kind is for', async () => {
    const fresh = await tester.signIn(own.email);
    expect((await me(fresh.refresh)).status).toBe(401);
    expect((await post('/v1/auth/refresh', { refresh_token: fresh.key })).status).toBe(401);
    expect((await me(fresh.key)).status).toBe(200);
  });

  it('to refresh with, shown by two at once, is good for none of them any more', async () => {
    const { refresh, key } = await tester.signIn(own.email);
    const race = await Promise.all(
      Array.from({ length: 2 }, () => post('/v1/auth/refresh', { refresh_token: refresh })),
    );
    expect(sorted(race)).toEqual([200, 401]);
    const winner = race.find(({ status }) => status === 200)!.body;
    expect((await post('/v1/auth/refresh', { refresh_token: winner.refresh_token })).status).toBe(401);
    for (const one of [key, winner.access_token as string]) expect((await me(one)).status).toBe(401);
  });

  it.each<[string, (one: Signed) => Promise<Answer>]>([
    ['signing out', ({ key }) => post('/v1/auth/logout', {}, key)],
    [
      'another password',
      ({ key }) =>
        call('PUT', '/v1/me/password', { key, body: { oldPassword: PASSWORD, newPassword: `${PASSWORD}!` } }),
    ],
  ])('is refused after %s', async (name, end) => {
    const one = await tester.signUp(`${name.replaceAll(' ', '-')}@shop.example`);
    expect((await end(one)).status).toBe(204);
    expect((await me(one.key)).status).toBe(401);
    expect((await post('/v1/auth/refresh', { refresh_token: one.refresh })).status).toBe(401);
  });
});

describe('guessing', () => {
  it('a thousand passwords is cut short, and the owner elsewhere signs in all the same', async () => {
    const { email } = await tester.signUp('guessed@shop.example');
    const from = tester.newAddress();
    const statuses = new Map<number, number>();
    let last: Answer | undefined;
    for (let n = 0; n < GUESSES; n += 20) {
      const guesses = Array.from({ length: 20 }, () => tester.login(email, { password: WRONG }, from));
      for (const guess of await Promise.all(guesses)) {
        statuses.set(guess.status, (statuses.get(guess.status) ?? 0) + 1);
        if (guess.status === 429) last = guess;
      }
    }
    expect([...statuses.keys()].sort((a, b) => a - b)).toEqual([401, 429]);
    expect(statuses.get(401)).toBeLessThanOrEqual(11);
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await tester.login(email)).status).toBe(200);
  });

  it('tells by neither words nor time whether there is such an account', async () => {
    await tester.signUp('known@shop.example');
    const medianMs = { known: [] as number[], unknown: [] as number[] };
    const words = new Set<string>();
    for (let n = 0; n < 12; n++) {
      for (const who of ['known', 'unknown'] as const) {
        const answer = await tester.login(`${who}@shop.example`, { password: WRONG });
        words.add(withoutRequest(answer));
        medianMs[who].push(answer.tookMs);
      }
    }
    expect([...words]).toHaveLength(1);
    const [known, unknown] = [median(medianMs.known), median(medianMs.unknown)];
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(1.6);
  });

  it('tells by nothing, when registering or asking for mails, either', async () => {
    const bodyOf: Readonly<Record<string, (email: string) => object>> = {
      '/v1/auth/register': (email) => ({ email, password: PASSWORD }),
      '/v1/auth/password/forgot': (email) => ({ email }),
      '/v1/auth/verification': (email) => ({ email }),
    };
    for (const [path, body] of Object.entries(bodyOf)) {
      const name = path.split('/').at(-1)!;
      await tester.signUp(`there-${name}@shop.example`);
      const answers = [];
      for (const email of [
        `there-${name}@shop.example`,
        `THERE-${name}@shop.example`,
        `nobody-${name}@shop.example`,
      ])
        answers.push(await call('POST', path, { body: body(email), from: tester.newAddress() }));
      expect([path, [...new Set(answers.map(withoutRequest))]]).toEqual([
        path,
        [expect.stringMatching(/^20[12] /)],
      ]);
    }
  });

  it('second factors by who has the password is cut short; a code is good once', async () => {
    const { email, key } = await tester.signUp('totp@shop.example');
    const { body: enrolled } = await post('/v1/me/totp', { password: PASSWORD }, key);
    const code = codeOf(totpSecretOf(enrolled.secret as string), stepAt(Date.now()));
    const confirmed = await post('/v1/me/totp/confirm', { enrolment: enrolled.enrolment, code }, key);
    const [recovery] = confirmed.body.recoveryCodes as [string];
    expect((await tester.login(email, { totp: code })).status).toBe(401);
    expect((await tester.login(email, { totp: recovery })).status).toBe(200);
    const statuses = [];
    for (const totp of ['000000', recovery, ...Array.from({ length: 10 }, (_, n) => `11111${n % 10}`)])
      statuses.push((await tester.login(email, { totp })).status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(statuses).not.toContain(200);
  });
});

describe('a mail', () => {
  it('to choose a new password is good once, and of no other use', async () => {
    const { email } = await tester.signUp('forgot@shop.example');
    await post('/v1/auth/password/forgot', { email });
    const token = tokenIn(await tester.mailTo(email, 'Choose a new password'));
    expect((await post('/v1/auth/verify', { token })).status).toBe(400);
    expect((await me(token)).status).toBe(401);
    const password = 'another horse battery staple';
    const once = await Promise.all(
      Array.from({ length: 2 }, () => post('/v1/auth/password/reset', { token, password })),
    );
    expect(sorted(once)).toEqual([204, 400]);
  });

  it('that verifies resets nothing, and verifies nobody else', async () => {
    const one = await tester.signUp('verify-one@shop.example');
    const two = await tester.signUp('verify-two@shop.example');
    const token = tokenIn(await tester.mailTo(one.email, 'Confirm'));
    const reset = { token, password: 'another horse battery staple' };
    expect((await post('/v1/auth/password/reset', reset)).status).toBe(400);
    expect((await post('/v1/auth/verify', { token }, two.key)).status).toBe(204);
    const verified = [];
    for (const { key } of [one, two]) verified.push((await me(key)).body.person.emailVerified);
    expect(verified).toEqual([true, false]);
  });
});

describe('an invitation', () => {
  const invite = (owner: Signed, email: string, role = 'viewer') =>
    post('/v1/merchant/invitations', { email, role }, owner.key);
  const accept = (token: string, { key }: Signed, from?: string) =>
    call('POST', '/v1/invitations/accept', { body: { token }, key, ...(from && { from }) });

  it('makes one member, whoever shows it at the same time', async () => {
    const owner = await tester.signUp('inviting@shop.example');
    const [guest, stranger] = [
      await tester.signUp('guest@shop.example'),
      await tester.signUp('stranger@shop.example'),
    ];
    expect((await invite(owner, guest.email)).status).toBe(201);
    const token = tokenIn(await tester.mailTo(guest.email, 'You are invited'));
    const race = await Promise.all([accept(token, guest), accept(token, stranger), accept(token, guest)]);
    const members = (await call('GET', '/v1/merchant/members', { key: owner.key })).body.members;
    expect(members).toHaveLength(2);
    expect(race.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    const isIn = ({ person }: Signed) =>
      members.some((member: { person: string }) => member.person === person);
    const again = await accept(token, isIn(stranger) ? guest : stranger);
    expect(again.status).toBe(404);
  });

  it('is guessed at by nobody for long', async () => {
    const guesser = await tester.signUp('guesser@shop.example');
    const { merchant } = await tester.signUp('guessed-at@shop.example');
    const from = tester.newAddress();
    const statuses = [];
    for (let n = 0; n < 120; n++)
      statuses.push((await accept(`i7Gk2mQx9RtP.${merchant}.guess${n}`, guesser, from)).status);
    expect(statuses[0]).toBe(404);
    expect(statuses.at(-1)).toBe(429);
  });

  it('mails to one address that nobody there asked for come to an end, withdrawn or not', async () => {
    const statuses = [];
    for (let n = 0; n < 3; n++) {
      const owner = await tester.signUp(`pest-${n}@shop.example`);
      for (let times = 0; times < 3; times++) {
        const { status, body } = await invite(owner, 'pestered@shop.example');
        statuses.push(status);
        if (status === 201)
          await call('DELETE', `/v1/merchant/invitations/${body.id as string}`, { key: owner.key });
      }
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.at(-1)).toBe(429);
  });

  it('gives nothing that it does not say, and nothing once its member was removed', async () => {
    const owner = await tester.signUp('removing@shop.example');
    const guest = await tester.signUp('removed@shop.example');
    await invite(owner, guest.email, 'admin');
    const token = tokenIn(await tester.mailTo(guest.email, 'You are invited'));
    expect((await accept(token, guest)).status).toBe(200);
    const there = await tester.login(guest.email, { merchant: owner.merchant });
    const key = there.body.access_token as string;
    expect((await post('/v1/sites', { domain: 'removing.example' }, key)).status).toBe(201);
    const own = `/v1/merchant/members/${guest.person}`;
    expect((await call('PATCH', own, { key, body: { role: 'owner' } })).status).toBe(403);
    expect((await invite({ ...guest, key }, 'x@shop.example', 'owner')).status).toBe(403);
    const streaming = new AbortController();
    const stream = await fetch(`${tester.product.url}/v1/sites/removing.example/realtime`, {
      headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
      signal: streaming.signal,
    });
    expect(stream.status).toBe(200);
    expect((await call('DELETE', own, { key: owner.key })).status).toBe(204);
    expect((await call('GET', '/v1/sites/removing.example', { key })).status).toBe(403);
    expect((await post('/v1/sites', { domain: 'again.example' }, key)).status).toBe(403);
    await ends(stream, streaming);
  });
});

it('ends the stream of somebody who signs out', async () => {
  const { key } = await tester.signUp('watching@shop.example');
  expect((await post('/v1/sites', { domain: 'watching.example' }, key)).status).toBe(201);
  const streaming = new AbortController();
  const stream = await fetch(`${tester.product.url}/v1/sites/watching.example/realtime`, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' },
    signal: streaming.signal,
  });
  expect(stream.status).toBe(200);
  expect((await post('/v1/auth/logout', {}, key)).status).toBe(204);
  await ends(stream, streaming);
});

const sorted = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b);

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** @throws Error unless the server ends it within seconds */
async function ends(stream: Response, streaming: AbortController): Promise<void> {
  const patience = setTimeout(() => streaming.abort(new Error('The stream goes on.')), 15_000);
  await stream.text().finally(() => clearTimeout(patience));
}
