// One's own account over HTTP: sessions, password, address, second factor, and signing in by cookie; on a real
// PostgreSQL and with a real mail server.
import {
  type CallOptions,
  type ControlPlane,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MailServer, startMailServer } from '../../../../test/servers/mail-server.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { totpSecretOf } from '../../../../test/totp-secret.js';
import { codeOf, stepAt } from './totp.js';

const PASSWORD = 'correct horse battery staple';
const OTHER = 'a fresh horse battery staple';
const PUBLIC_URL = 'https://stats.example';
const ENVIRONMENT = {
  OPERATOR_KEY: 'operator-key-of-the-account-tests-0123456789',
  PASSWORD_HASH_COST: '12',
  AUTH_EMAIL_VERIFICATION: 'optional',
  AUTH_GUESSES_PER_ACCOUNT_MAX: '1000',
  AUTH_GUESSES_PER_ADDRESS_MAX: '100000',
  PUBLIC_URL,
};

let postgres: MigratedPostgres;
let mail: MailServer;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  mail = await startMailServer();
  plane = await startControlPlane(postgres.pool, { environment: { ...ENVIRONMENT, SMTP_URL: mail.url } });
});
afterAll(async () => {
  await plane?.close();
  await mail?.stop();
  await postgres?.stop();
});

let people = 0;
const freshEmail = () => `me-${++people}@shop.example`;
const call = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options: CallOptions = {}) =>
  plane.call(method, path, { key: null, ...options });
const login = (email: string, more: object = {}) =>
  call('POST', '/v1/auth/login', { body: { email, password: PASSWORD, ...more } });
const status = async (key: string) => (await call('GET', '/v1/me', { key })).status;

async function signedUp(): Promise<{ email: string; key: string }> {
  const email = freshEmail();
  await call('POST', '/v1/auth/register', { body: { email, password: PASSWORD } });
  return { email, key: (await login(email)).body.access_token as string };
}

describe('sessions', () => {
  it('are listed with where and how, and ended one by one', async () => {
    const { email, key } = await signedUp();
    const other = (await login(email)).body.access_token as string;
    await login(email, { cookie: true });
    const { body } = await call('GET', '/v1/me/sessions', { key });
    expect(body.sessions).toHaveLength(3);
    expect(body.sessions.map(({ by }: { by: string }) => by).sort()).toEqual(['cookie', 'token', 'token']);
    expect(body.sessions[0]).toMatchObject({ network: '127.0.0.0/24', userAgent: 'lightMyRequest' });
    const current = body.sessions.filter((one: { current: boolean }) => one.current);
    expect(current).toHaveLength(1);
    const seen = (await call('GET', '/v1/me/sessions', { key: other })).body.sessions;
    const own = seen.find((one: { current: boolean }) => one.current).id as string;
    expect((await call('DELETE', `/v1/me/sessions/${own}`, { key })).status).toBe(204);
    expect([await status(key), await status(other)]).toEqual([200, 401]);
    expect((await call('DELETE', `/v1/me/sessions/${own}`, { key })).status).toBe(404);
  });

  it('of others answer as those that do not exist', async () => {
    const [one, two] = [await signedUp(), await signedUp()];
    const { body } = await call('GET', '/v1/me/sessions', { key: two.key });
    const foreign = await call('DELETE', `/v1/me/sessions/${body.sessions[0].id}`, { key: one.key });
    const absent = await call('DELETE', '/v1/me/sessions/si11111111111', { key: one.key });
    expect([foreign.status, foreign.body]).toEqual([404, absent.body]);
    expect(await status(two.key)).toBe(200);
  });
});

describe('the password', () => {
  it('is changed by who knows the old one, and ends every sign-in', async () => {
    const { email, key } = await signedUp();
    const put = (body: object) => call('PUT', '/v1/me/password', { key, body });
    expect((await put({ oldPassword: OTHER, newPassword: OTHER })).status).toBe(403);
    expect((await put({ oldPassword: PASSWORD, newPassword: 'short' })).status).toBe(400);
    expect((await put({ oldPassword: PASSWORD, newPassword: OTHER })).status).toBe(204);
    expect(await status(key)).toBe(401);
    expect((await login(email)).status).toBe(401);
    expect((await login(email, { password: OTHER })).status).toBe(200);
    await mail.mailTo(email, /password was changed/);
  });
});

describe('name and address', () => {
  it('change; the address once the mail to the new one was read, and the old one is told', async () => {
    const { email, key } = await signedUp();
    const named = await call('PATCH', '/v1/me', { key, body: { name: 'Žofie' } });
    expect(named).toMatchObject({ status: 200, body: { name: 'Žofie', email } });
    const next = freshEmail();
    const change = (body: object) => call('PATCH', '/v1/me', { key, body });
    expect((await change({ email: next })).status).toBe(400);
    expect((await change({ email: next, password: OTHER })).status).toBe(403);
    const asked = await change({ email: next, password: PASSWORD });
    expect(asked).toMatchObject({ status: 200, body: { email } });
    const token = await mail.tokenTo(next, /new e-mail address/);
    expect((await login(next)).status).toBe(401);
    expect((await call('POST', '/v1/auth/verify', { body: { token } })).status).toBe(204);
    expect((await call('POST', '/v1/auth/verify', { body: { token } })).status).toBe(204);
    expect((await login(next)).status).toBe(200);
    expect((await login(email)).status).toBe(401);
    expect((await call('GET', '/v1/me', { key })).body.person).toMatchObject({
      email: next,
      emailVerified: true,
    });
    await mail.mailTo(email, /address was changed/);
    // The old address is free again.
    await call('POST', '/v1/auth/register', { body: { email, password: OTHER } });
    expect((await login(email, { password: OTHER })).status).toBe(200);
  });

  it('do not change to an address that has an account', async () => {
    const [one, two] = [await signedUp(), await signedUp()];
    const body = { email: two.email, password: PASSWORD };
    expect((await call('PATCH', '/v1/me', { key: one.key, body })).status).toBe(200);
    await mail.mailTo(two.email, /already/);
    const fresh = freshEmail();
    await call('PATCH', '/v1/me', { key: one.key, body: { email: fresh, password: PASSWORD } });
    const token = await mail.tokenTo(fresh, /new e-mail address/);
    await call('POST', '/v1/auth/register', { body: { email: fresh, password: OTHER } });
    expect((await call('POST', '/v1/auth/verify', { body: { token } })).status).toBe(409);
    expect((await login(one.email)).status).toBe(200);
  });

  it('stay when all sign-ins were ended since the change was asked for', async () => {
    const { email, key } = await signedUp();
    const next = freshEmail();
    await call('PATCH', '/v1/me', { key, body: { email: next, password: PASSWORD } });
    const token = await mail.tokenTo(next, /new e-mail address/);
    await call('POST', '/v1/auth/logout', { key, body: { everywhere: true } });
    expect((await call('POST', '/v1/auth/verify', { body: { token } })).status).toBe(400);
    expect((await login(email)).status).toBe(200);
  });
});

describe('a second factor', () => {
  it('is switched on by its first code, needed from then on, each code once, and off again', async () => {
    const { email, key } = await signedUp();
    const post = (path: string, body: object) => call('POST', `/v1/me/totp${path}`, { key, body });
    expect((await post('', { password: OTHER })).status).toBe(403);
    const { body: enrolled } = await post('', { password: PASSWORD });
    expect(enrolled.uri).toContain(`secret=${enrolled.secret}`);
    const secret = totpSecretOf(enrolled.secret as string);
    const code = (stepsAhead: number) => codeOf(secret, stepAt(Date.now()) + stepsAhead);
    const { enrolment } = enrolled;
    expect((await post('/confirm', { enrolment, code: '000000' })).status).toBe(400);
    expect((await login(email)).status).toBe(200);
    const before = code(-1);
    const confirmed = await post('/confirm', { enrolment, code: before });
    expect(confirmed.body.recoveryCodes).toHaveLength(10);
    expect((await post('', { password: PASSWORD })).status).toBe(409);

    const without = await login(email);
    expect([without.status, without.body.type]).toEqual([401, '/problems/second-factor-required']);
    const wrongPassword = await login(email, { password: OTHER, totp: code(0) });
    expect(wrongPassword.body.type).toBe('/problems/credentials-refused');
    expect((await login(email, { totp: before })).body.type).toBe('/problems/second-factor-refused');
    const now = code(0);
    const together = await Promise.all([login(email, { totp: now }), login(email, { totp: now })]);
    expect(together.map((one) => one.status).sort((a, b) => a - b)).toEqual([200, 401]);

    const [recovery] = confirmed.body.recoveryCodes as [string];
    expect((await login(email, { totp: recovery })).status).toBe(200);
    expect((await login(email, { totp: recovery })).status).toBe(401);
    const [, spare] = confirmed.body.recoveryCodes as string[];
    expect((await post('/disable', { password: PASSWORD, code: recovery })).status).toBe(400);
    expect((await post('/disable', { password: PASSWORD, code: spare })).status).toBe(204);
    expect((await login(email)).status).toBe(200);
  });

  it('is guessed at ten times in an hour and no more', async () => {
    const { email, key } = await signedUp();
    const { body } = await call('POST', '/v1/me/totp', { key, body: { password: PASSWORD } });
    const code = codeOf(totpSecretOf(body.secret as string), stepAt(Date.now()));
    await call('POST', '/v1/me/totp/confirm', { key, body: { enrolment: body.enrolment, code } });
    const statuses = [];
    for (let n = 0; n < 10; n++) statuses.push((await login(email, { totp: 'guess' })).status);
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 401), 429]);
  });

  it('is enrolled by nobody else', async () => {
    const [one, two] = [await signedUp(), await signedUp()];
    const { body } = await call('POST', '/v1/me/totp', { key: one.key, body: { password: PASSWORD } });
    const code = codeOf(totpSecretOf(body.secret as string), stepAt(Date.now()));
    const taken = await call('POST', '/v1/me/totp/confirm', {
      key: two.key,
      body: { enrolment: body.enrolment, code },
    });
    expect(taken.status).toBe(400);
  });
});

describe('a cookie', () => {
  async function byCookie() {
    const { email } = await signedUp();
    const { body, headers } = await login(email, { cookie: true });
    const setCookie = String(headers['set-cookie']);
    return { email, csrf: body.csrf_token as string, body, setCookie, cookie: setCookie.split(';')[0]! };
  }

  it('holds the sign-in where scripts cannot read it, and no token is in the answer', async () => {
    const { setCookie, body, cookie } = await byCookie();
    expect(setCookie).toMatch(
      /^__Host-tidemark=si\w+\.\w{32}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/,
    );
    expect(Object.keys(body).sort()).toEqual(['csrf_token', 'expires_in']);
    const { status, body: me } = await call('GET', '/v1/me', { headers: { cookie: `a=b; ${cookie}` } });
    expect([status, me.csrf_token]).toEqual([200, body.csrf_token]);
  });

  it.each([
    ['nothing else', {}, 403],
    ['a wrong token', { 'x-csrf-token': 'f'.repeat(64) }, 403],
    ['the token, from another origin', { token: 'csrf', origin: 'https://evil.example' }, 403],
    ['the token, from another site', { token: 'csrf', 'sec-fetch-site': 'cross-site' }, 403],
    ['the token, from a neighbouring host', { token: 'csrf', 'sec-fetch-site': 'same-site' }, 403],
    ['the token', { token: 'csrf' }, 200],
    [
      'the token, from our own page',
      { token: 'csrf', origin: PUBLIC_URL, 'sec-fetch-site': 'same-origin' },
      200,
    ],
  ])('with %s changes what it may', async (_, { token, ...more }: Record<string, string>, expected) => {
    const { cookie, csrf } = await byCookie();
    const headers = { cookie, ...(token && { 'x-csrf-token': csrf }), ...more };
    expect((await call('PATCH', '/v1/me', { headers, body: { name: 'Kim' } })).status).toBe(expected);
  });

  it('is no refresh token, nor the other way round', async () => {
    const { cookie, email } = await byCookie();
    const secret = cookie.split('=')[1]!;
    expect((await call('POST', '/v1/auth/refresh', { body: { refresh_token: secret } })).status).toBe(401);
    const { body } = await login(email);
    const forged = { cookie: `__Host-tidemark=${body.refresh_token}` };
    expect((await call('GET', '/v1/me', { headers: forged })).status).toBe(401);
  });

  it('is cleared by signing out, and good for nothing from then on', async () => {
    const { cookie, csrf } = await byCookie();
    const headers = { cookie, 'x-csrf-token': csrf };
    const out = await call('POST', '/v1/auth/logout', { headers, body: {} });
    expect([out.status, String(out.headers['set-cookie'])]).toEqual([
      204,
      expect.stringMatching(/Max-Age=0/),
    ]);
    expect((await call('GET', '/v1/me', { headers })).status).toBe(401);
  });

  it('is not Secure where the installation is reached over plain HTTP', async () => {
    const plain = await startControlPlane(postgres.pool, {
      dataDirectory: plane.dataDirectory,
      environment: { ...ENVIRONMENT, PUBLIC_URL: '', SMTP_URL: mail.url },
    });
    try {
      const { email } = await signedUp();
      const body = { email, password: PASSWORD, cookie: true };
      const { headers } = await plain.call('POST', '/v1/auth/login', { key: null, body });
      expect(String(headers['set-cookie'])).toMatch(
        /^tidemark=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age/,
      );
    } finally {
      await plain.close();
    }
  });
});
