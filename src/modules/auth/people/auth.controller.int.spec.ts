// Registering, signing in and out over HTTP, on a real PostgreSQL and with a real mail server.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MailServer, startMailServer } from '../../../../test/servers/mail-server.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';

const OPERATOR_KEY = 'operator-key-of-the-account-tests-0123456789';
const PASSWORD = 'correct horse battery staple';
const LIMITS = { AUTH_GUESSES_PER_ACCOUNT_MAX: '1000', AUTH_GUESSES_PER_ADDRESS_MAX: '100000' };

let postgres: MigratedPostgres;
let mail: MailServer;
let plane: ControlPlane;

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  OPERATOR_KEY,
  SMTP_URL: mail.url,
  KEY_PEPPER: 'the pepper that all nodes of these tests have',
  PASSWORD_HASH_COST: '12',
  AUTH_EMAIL_VERIFICATION: 'optional',
  ...LIMITS,
  ...more,
});

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  mail = await startMailServer();
  plane = await startControlPlane(postgres.pool, { environment: environment() });
});
afterAll(async () => {
  await plane?.close();
  await mail?.stop();
  await postgres?.stop();
});

let people = 0;
const freshEmail = () => `person-${++people}@shop.example`;
const post = (path: string, body: unknown = {}, key: string | null = null) =>
  plane.call('POST', path, { key, body });
const register = (email: string, more: object = {}) =>
  post('/v1/auth/register', { email, password: PASSWORD, ...more });
const login = (email: string, more: object = {}) =>
  post('/v1/auth/login', { email, password: PASSWORD, ...more });
const me = (key: string) => plane.call('GET', '/v1/me', { key });

async function signedUp(): Promise<{ email: string; access: string; refresh: string }> {
  const email = freshEmail();
  await register(email);
  const { body } = await login(email);
  return { email, access: body.access_token as string, refresh: body.refresh_token as string };
}

describe('registering', () => {
  it('makes a person with a merchant of their own, who can sign in and make a site', async () => {
    const email = freshEmail();
    const registered = await register(` ${email.toUpperCase()} `, { name: 'Kim', merchantName: 'Shops Ltd' });
    expect([registered.status, registered.body]).toEqual([201, { verificationRequired: false }]);
    const { status, body, headers } = await login(email);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'Bearer',
      expires_in: 600,
      refresh_token: expect.stringMatching(/^si/),
    });
    expect(headers['cache-control']).toBe('no-store');
    const key = body.access_token as string;
    const { body: read } = await me(key);
    expect(read).toMatchObject({
      person: { email, name: 'Kim', emailVerified: false, totp: false },
      merchants: [{ name: 'Shops Ltd', role: 'owner' }],
      site: null,
    });
    expect(read.merchant).toBe(read.merchants[0].id);
    const site = await plane.call('POST', '/v1/sites', { key, body: { domain: 'owned.example' } });
    expect(site.status).toBe(201);
    const issued = await plane.call('POST', '/v1/keys', { key, body: { name: 'k', scopes: ['stats:read'] } });
    expect(issued.status).toBe(201);
    const { body: shown } = await me(issued.body.key as string);
    expect(shown).toEqual({
      id: issued.body.id,
      merchant: read.merchant,
      site: null,
      scopes: ['stats:read'],
    });
    const others = await login((await signedUp()).email);
    const answer = await plane.call('GET', '/v1/sites/owned.example', { key: others.body.access_token });
    expect(answer.status).toBe(404);
  });

  it('answers the same where there is an account, changes nothing and tells its owner', async () => {
    const { email } = await signedUp();
    const again = await register(email, { password: 'another horse battery staple' });
    expect([again.status, again.body]).toEqual([201, { verificationRequired: false }]);
    await mail.mailTo(email, /already/);
    expect((await login(email)).status).toBe(200);
    expect((await login(email, { password: 'another horse battery staple' })).status).toBe(401);
  });

  it('lets one of many at once win, and never makes two of one address', async () => {
    const email = freshEmail();
    const passwords = Array.from({ length: 12 }, (_, n) => `password number ${n} of many`);
    const answers = await Promise.all(passwords.slice(0, 5).map((password) => register(email, { password })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 201));
    const logins = await Promise.all(passwords.slice(0, 5).map((password) => login(email, { password })));
    expect(logins.filter(({ status }) => status === 200)).toHaveLength(1);
    const { rows } = await postgres.pool.query(
      `SELECT count(*)::int AS n FROM event_store.events WHERE type = 'PersonRegistered'
       AND data->>'emailDigest' = (SELECT data->>'emailDigest' FROM event_store.events
         WHERE type = 'PersonRegistered' ORDER BY position DESC LIMIT 1)`,
    );
    expect(rows[0].n).toBe(1);
  });

  it.each([
    [{ email: 'nobody' }, 'email'],
    [{ email: `${'x'.repeat(250)}@shop.example` }, 'email'],
    [{ password: 'short' }, 'password'],
    [{ password: 'x'.repeat(129) }, 'password'],
    [{ password: '123456789012' }, 'password'],
    [{ password: 'QWERTY123456' }, 'password'],
    [{ password: 'someone-kim1', email: 'someone-kim@shop.example' }, 'password'],
    [{ password: 5 }, 'password'],
    [{ name: '' }, 'name'],
    [{ merchantName: 'a\u0000b' }, 'merchantName'],
    [{ surprise: 1 }, 'surprise'],
  ])('refuses %j', async (fields, path) => {
    const { status, body } = await register(freshEmail(), fields);
    expect([status, body.errors?.[0]?.path]).toEqual([400, path]);
  });

  it('writes nothing of a person into the event store in the clear', async () => {
    const email = 'canary.address@secret.example';
    await register(email, { name: 'Canary Name' });
    await login(email);
    const { rows } = await postgres.pool.query(
      'SELECT data::text, metadata::text, stream FROM event_store.events',
    );
    const text = JSON.stringify(rows);
    for (const canary of ['canary', 'Canary', 'secret.example', '127.0.0', 'scrypt', PASSWORD]) {
      expect([canary, text.includes(canary)]).toEqual([canary, false]);
    }
  });
});

describe('signing in', () => {
  it('is refused alike for an unknown address, a wrong password and an unverified address', async () => {
    const { email } = await signedUp();
    const strict = await startControlPlane(postgres.pool, {
      environment: environment({ AUTH_EMAIL_VERIFICATION: 'required' }),
    });
    try {
      const tried = [
        { email: freshEmail(), password: PASSWORD },
        { email, password: 'wrong horse battery staple' },
        { email, password: PASSWORD },
      ];
      const answers = [];
      for (const body of tried)
        answers.push(await strict.call('POST', '/v1/auth/login', { key: null, body }));
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      const token = await mail.tokenTo(email, /Confirm/);
      expect((await post('/v1/auth/verify', { token })).status).toBe(204);
      const body = { email, password: PASSWORD };
      expect((await strict.call('POST', '/v1/auth/login', { key: null, body })).status).toBe(200);
    } finally {
      await strict.close();
    }
  });

  it('takes as long for an unknown address as for a wrong password', async () => {
    const { email } = await signedUp();
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let n = 0; n < 30; n++) {
      for (const [kind, address] of [
        ['known', email],
        ['unknown', freshEmail()],
      ] as const) {
        const from = performance.now();
        await login(address, { password: 'wrong horse battery staple' });
        times[kind].push(performance.now() - from);
      }
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
    const ratio = median(times.known) / median(times.unknown);
    expect(ratio).toBeGreaterThan(0.7);
    expect(ratio).toBeLessThan(1.4);
  });

  it('is limited per account and per address, and says when to come back', async () => {
    const limited = await startControlPlane(postgres.pool, {
      environment: environment({ AUTH_GUESSES_PER_ACCOUNT_MAX: '5', AUTH_GUESSES_PER_ADDRESS_MAX: '9' }),
    });
    try {
      const tries = async (address: string) =>
        limited.call('POST', '/v1/auth/login', { key: null, body: { email: address, password: 'x' } });
      const one = freshEmail();
      const statuses = [];
      for (let n = 0; n < 6; n++) statuses.push((await tries(one)).status);
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
      const other = [];
      for (let n = 0; n < 4; n++) other.push(await tries(freshEmail()));
      expect(other.map(({ status }) => status)).toEqual([401, 401, 401, 429]);
      expect(Number(other.at(-1)!.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await limited.close();
    }
  });

  it('hashes the password anew when the cost was raised', async () => {
    const { email } = await signedUp();
    const raised = await startControlPlane(postgres.pool, {
      environment: environment({ PASSWORD_HASH_COST: '13' }),
    });
    const count = async () =>
      (await postgres.pool.query(`SELECT 1 FROM event_store.events WHERE type = 'PasswordRehashed'`))
        .rowCount;
    try {
      const before = (await count())!;
      const body = { email, password: PASSWORD };
      for (let n = 0; n < 2; n++) {
        expect((await raised.call('POST', '/v1/auth/login', { key: null, body })).status).toBe(200);
      }
      expect(await count()).toBe(before + 1);
    } finally {
      await raised.close();
    }
  });

  it('acts for a merchant that the person belongs to, and no other', async () => {
    const { email, access } = await signedUp();
    const own = (await me(access)).body.merchant as string;
    expect((await login(email, { merchant: own })).status).toBe(200);
    expect((await login(email, { merchant: 'default' })).status).toBe(404);
    expect((await login(email, { merchant: 'mNobodys1234' })).status).toBe(404);
  });
});

describe('refresh tokens', () => {
  it('are good once; a second time ends the sign-in, and its access tokens at once', async () => {
    const { access, refresh } = await signedUp();
    const next = await post('/v1/auth/refresh', { refresh_token: refresh });
    expect(next.status).toBe(200);
    expect(next.body.refresh_token).not.toBe(refresh);
    expect((await me(next.body.access_token)).status).toBe(200);
    expect((await post('/v1/auth/refresh', { refresh_token: refresh })).status).toBe(401);
    expect((await post('/v1/auth/refresh', { refresh_token: next.body.refresh_token })).status).toBe(401);
    for (const token of [access, next.body.access_token]) expect((await me(token)).status).toBe(401);
  });

  it('give one of many who show the same the next, and end it for all', async () => {
    const { refresh } = await signedUp();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post('/v1/auth/refresh', { refresh_token: refresh })),
    );
    const good = answers.filter(({ status }) => status === 200);
    expect(good.length).toBeLessThanOrEqual(1);
    for (const { body } of good) {
      expect((await post('/v1/auth/refresh', { refresh_token: body.refresh_token })).status).toBe(401);
    }
  });

  it('act for another merchant only if the person belongs to it, and are not used up by asking', async () => {
    const { access, refresh } = await signedUp();
    const own = (await me(access)).body.merchant as string;
    expect((await post('/v1/auth/refresh', { refresh_token: refresh, merchant: 'default' })).status).toBe(
      404,
    );
    expect((await post('/v1/auth/refresh', { refresh_token: refresh, merchant: own })).status).toBe(200);
  });

  it.each(['', 'x', 'si11111111111.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 5])('refuse %j', async (token) => {
    const { status } = await post('/v1/auth/refresh', { refresh_token: token });
    expect([400, 401]).toContain(status);
  });

  it('end when they were not used for long, and after the longest time however used', async () => {
    for (const column of ['expires_at', 'ends_at']) {
      const { refresh } = await signedUp();
      const id = refresh.split('.')[0];
      await postgres.pool.query(
        `UPDATE people.sign_ins SET ${column} = now() - interval '1 second' WHERE id = $1`,
        [id],
      );
      const once = await post('/v1/auth/refresh', { refresh_token: refresh });
      if (column === 'expires_at') expect(once.status).toBe(401);
      else {
        const twice = await post('/v1/auth/refresh', { refresh_token: once.body.refresh_token });
        expect(twice.status).toBe(401);
      }
    }
  });
});

describe('signing out', () => {
  it('ends this sign-in at once, here and on another node within seconds, and leaves the others', async () => {
    const { email, access, refresh } = await signedUp();
    const other = (await login(email)).body;
    const node = await startControlPlane(postgres.pool, { environment: environment() });
    try {
      expect((await node.call('GET', '/v1/me', { key: access })).status).toBe(200);
      expect((await post('/v1/auth/logout', {}, access)).status).toBe(204);
      expect((await me(access)).status).toBe(401);
      expect((await post('/v1/auth/refresh', { refresh_token: refresh })).status).toBe(401);
      const deadline = Date.now() + 5_000;
      let there = 200;
      while (there === 200 && Date.now() < deadline) {
        there = (await node.call('GET', '/v1/me', { key: access })).status;
      }
      expect(there).toBe(401);
      expect((await me(other.access_token)).status).toBe(200);
    } finally {
      await node.close();
    }
  });

  it('everywhere ends all', async () => {
    const { email, access, refresh } = await signedUp();
    const other = (await login(email)).body;
    expect((await post('/v1/auth/logout', { everywhere: true }, access)).status).toBe(204);
    for (const token of [access, other.access_token]) expect((await me(token)).status).toBe(401);
    for (const token of [refresh, other.refresh_token]) {
      expect((await post('/v1/auth/refresh', { refresh_token: token })).status).toBe(401);
    }
    expect((await login(email)).status).toBe(200);
  });

  it('is not for keys', async () => {
    expect((await post('/v1/auth/logout', {}, OPERATOR_KEY)).status).toBe(403);
    expect((await post('/v1/auth/logout', {}, null)).status).toBe(401);
  });
});

describe('a forgotten password', () => {
  it('is replaced by the token of a mail, once; all sign-ins end', async () => {
    const { email, access, refresh } = await signedUp();
    expect((await post('/v1/auth/password/forgot', { email })).status).toBe(202);
    const token = await mail.tokenTo(email, /new password/);
    const password = 'a fresh horse battery staple';
    expect((await post('/v1/auth/password/reset', { token, password: 'short' })).status).toBe(400);
    const answers = await Promise.all([
      post('/v1/auth/password/reset', { token, password }),
      post('/v1/auth/password/reset', { token, password }),
    ]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 400]);
    expect((await me(access)).status).toBe(401);
    expect((await post('/v1/auth/refresh', { refresh_token: refresh })).status).toBe(401);
    expect((await login(email)).status).toBe(401);
    const again = await login(email, { password });
    expect(again.status).toBe(200);
    expect((await me(again.body.access_token)).body.person.emailVerified).toBe(true);
    await mail.mailTo(email, /was changed/);
  });

  it('is answered the same without an account, and writes to nobody', async () => {
    const email = freshEmail();
    expect((await post('/v1/auth/password/forgot', { email })).status).toBe(202);
    const { email: known } = await signedUp();
    await post('/v1/auth/password/forgot', { email: known });
    await mail.mailTo(known, /new password/);
    expect(mail.mails.filter(({ to }) => to.includes(email))).toEqual([]);
  });

  it('is written about so often and no more', async () => {
    const email = freshEmail();
    const statuses = [];
    for (let n = 0; n < 6; n++) statuses.push((await post('/v1/auth/password/forgot', { email })).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
  });

  it('takes no token of another kind, and none that was changed', async () => {
    const email = freshEmail();
    await register(email);
    const token = await mail.tokenTo(email, /Confirm/);
    const password = 'a fresh horse battery staple';
    expect((await post('/v1/auth/password/reset', { token, password })).status).toBe(400);
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    expect((await post('/v1/auth/verify', { token: changed })).status).toBe(400);
    expect((await post('/v1/auth/verify', { token })).status).toBe(204);
    expect((await post('/v1/auth/verify', { token })).status).toBe(204);
  });
});
