// People's accounts on the product as it runs, with nothing set up: from registering to signing out, by every
// documented operation; and a process that is killed in the middle of one, after which the next try works.
import { OperatedProduct, OPERATOR_KEY } from './operated-product.js';
import { totpSecretOf } from '../totp-secret.js';
import { mailedTokenOf } from './mailed-token.js';
import { codeOf, stepAt } from '../../src/modules/auth/people/totp.js';

const PASSWORD = 'correct horse battery staple';
const FRESH = 'a fresh horse battery staple';
const ENVIRONMENT = { LOG_LEVEL: 'info', PASSWORD_HASH_COST: '12' };

let product: OperatedProduct;

beforeAll(async () => {
  product = await OperatedProduct.start(ENVIRONMENT);
}, 180_000);
afterAll(() => product?.stop());

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what the tests look into
  readonly body: any;
}

/** `METHOD /path` of everything that was asked, ids replaced. */
const asked = new Set<string>();

async function call(
  method: string,
  path: string,
  { key, body }: { key?: string; body?: object } = {},
): Promise<Answer> {
  asked.add(`${method} ${path.replace(/\/si\w{11}$/, '/{id}')}`);
  const response = await fetch(product.url + path, {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

const post = (path: string, body: object, key?: string) => call('POST', path, { body, ...(key && { key }) });
const login = (email: string, more: object = {}) =>
  post('/v1/auth/login', { email, password: PASSWORD, ...more });

const mailed = (email: string, subject: string) => mailedTokenOf(product, email, subject);

it('lets somebody register, verify, sign in, make a site and a key, and sign out', async () => {
  const email = 'kim@shop.example';
  expect((await post('/v1/auth/register', { email, password: PASSWORD, name: 'Kim' })).status).toBe(201);
  await mailed(email, 'Confirm your e-mail address');
  expect((await post('/v1/auth/verification', { email })).status).toBe(202);
  const token = await mailed(email, 'Confirm your e-mail address');
  expect((await post('/v1/auth/verify', { token })).status).toBe(204);

  const { body: first } = await login(email);
  const key = first.access_token as string;
  const { body: me } = await call('GET', '/v1/me', { key });
  expect(me).toMatchObject({
    person: { email, emailVerified: true, name: 'Kim' },
    merchants: [{ role: 'owner' }],
  });
  const site = await post('/v1/sites', { domain: 'kim.example' }, key);
  expect(site.status).toBe(201);
  const issued = await post('/v1/sites/kim.example/keys', { name: 'k', scopes: ['stats:read'] }, key);
  expect(issued.status).toBe(201);
  const query = { metrics: ['visitors'], date_range: '7d' };
  for (const one of [key, issued.body.key as string]) {
    expect((await post('/v1/sites/kim.example/query', query, one)).status).toBe(200);
  }
  const { body: audit } = await call('GET', '/admin/v1/audit?limit=1000', { key: OPERATOR_KEY });
  const created = audit.entries.find(({ type }: { type: string }) => type === 'SiteCreated');
  expect(created.by).toBe(me.id);

  const next = await post('/v1/auth/refresh', { refresh_token: first.refresh_token });
  expect(next.status).toBe(200);
  expect((await post('/v1/auth/refresh', { refresh_token: first.refresh_token })).status).toBe(401);
  expect((await call('GET', '/v1/me', { key: next.body.access_token })).status).toBe(401);

  const again = (await login(email)).body.access_token as string;
  const other = (await login(email)).body.access_token as string;
  const { body: sessions } = await call('GET', '/v1/me/sessions', { key: again });
  const there = sessions.sessions.find((one: { current: boolean }) => !one.current).id as string;
  expect((await call('DELETE', `/v1/me/sessions/${there}`, { key: again })).status).toBe(204);
  expect((await call('GET', '/v1/me', { key: other })).status).toBe(401);
  expect((await call('PATCH', '/v1/me', { key: again, body: { name: 'Kim K.' } })).status).toBe(200);
  expect((await post('/v1/auth/logout', {}, again)).status).toBe(204);
  expect((await call('GET', '/v1/me', { key: again })).status).toBe(401);
});

it('lets somebody have a second factor, and choose another password twice', async () => {
  const email = 'jo@shop.example';
  await post('/v1/auth/register', { email, password: PASSWORD });
  const key = (await login(email)).body.access_token as string;
  const { body: enrolled } = await post('/v1/me/totp', { password: PASSWORD }, key);
  const secret = totpSecretOf(enrolled.secret as string);
  const code = codeOf(secret, stepAt(Date.now()));
  const { body } = await post('/v1/me/totp/confirm', { enrolment: enrolled.enrolment, code }, key);
  const [recovery] = body.recoveryCodes as [string];
  expect((await login(email)).body.type).toBe('/problems/second-factor-required');
  const off = await post('/v1/me/totp/disable', { password: PASSWORD, code: recovery }, key);
  expect(off.status).toBe(204);
  const change = { oldPassword: PASSWORD, newPassword: FRESH };
  expect((await call('PUT', '/v1/me/password', { key, body: change })).status).toBe(204);
  expect((await login(email, { password: FRESH })).status).toBe(200);
  expect((await post('/v1/auth/password/forgot', { email })).status).toBe(202);
  const token = await mailed(email, 'Choose a new password');
  expect((await post('/v1/auth/password/reset', { token, password: PASSWORD })).status).toBe(204);
  expect((await login(email)).status).toBe(200);
});

it('lets somebody erase their account, once nothing is theirs alone', async () => {
  const email = 'al@shop.example';
  await post('/v1/auth/register', { email, password: PASSWORD });
  const key = (await login(email)).body.access_token as string;
  const proof = { password: PASSWORD };
  expect((await call('DELETE', '/v1/me', { key, body: proof })).status).toBe(409);
  const body = { confirm: 'My sites', ...proof };
  expect((await call('DELETE', '/v1/merchant', { key, body })).status).toBe(202);
  expect((await call('DELETE', '/v1/me', { key, body: proof })).status).toBe(204);
  expect((await call('GET', '/v1/me', { key })).status).toBe(401);
  expect((await login(email)).status).toBe(401);
});

it('publishes its keys, and shows the page that mails lead to', async () => {
  expect((await call('GET', '/.well-known/jwks.json')).body.keys).toHaveLength(1);
  const page = await fetch(`${product.url}/account`);
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const [, script] = /<script src="([^"]+)"/.exec(await page.text())!;
  const code = await (await fetch(product.url + script)).text();
  for (const path of ['/v1/auth/verify', '/v1/auth/password/reset']) expect(code).toContain(`'${path}'`);
});

it('was asked for everything that is documented of accounts', async () => {
  const { body } = await call('GET', '/docs-json');
  const operations = Object.entries(
    body.paths as Record<string, Record<string, { tags?: string[] }>>,
  ).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags?.includes('Accounts'))
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.length).toBeGreaterThan(15);
  expect(operations.filter((one) => !asked.has(one))).toEqual([]);
});

it.each(['people.email-claimed', 'people.merchant-registered', 'people.registered'])(
  'registers whoever tries again after a process was killed at %s, once',
  async (place) => {
    await product.kill('SIGTERM');
    await product.startAgain({ FAILPOINT: `${place}:0` });
    const email = `${place.replace('people.', '')}@shop.example`;
    await expect(post('/v1/auth/register', { email, password: PASSWORD })).rejects.toThrow();
    await product.startAgain();
    expect((await post('/v1/auth/register', { email, password: PASSWORD })).status).toBe(201);
    const signedIn = await login(email);
    expect(signedIn.status).toBe(200);
    const { body } = await call('GET', '/v1/me', { key: signedIn.body.access_token as string });
    expect(body.merchants).toEqual([expect.objectContaining({ role: 'owner' })]);
  },
);

it('signs in whoever tries again after a process was killed while they did', async () => {
  await product.kill('SIGTERM');
  await product.startAgain({ FAILPOINT: 'people.signed-in:0' });
  await expect(login('jo@shop.example')).rejects.toThrow();
  await product.startAgain();
  expect((await login('jo@shop.example')).status).toBe(200);
});

it('has the new password in force, and every sign-in ended, after a process was killed while it changed', async () => {
  const email = 'jo@shop.example';
  const { body: before } = await login(email);
  await post('/v1/auth/password/forgot', { email });
  const token = await mailed(email, 'Choose a new password');
  await product.kill('SIGTERM');
  await product.startAgain({ FAILPOINT: 'people.password-changed:0' });
  const reset = { token, password: FRESH };
  await expect(post('/v1/auth/password/reset', reset)).rejects.toThrow();
  await product.startAgain();
  expect((await post('/v1/auth/password/reset', reset)).status).toBe(400);
  expect((await login(email)).status).toBe(401);
  expect((await login(email, { password: FRESH })).status).toBe(200);
  expect((await post('/v1/auth/refresh', { refresh_token: before.refresh_token })).status).toBe(401);
  expect((await call('GET', '/v1/me', { key: before.access_token })).status).toBe(401);
});

it('has forgotten somebody once it runs again, after a process was killed while they erased their account', async () => {
  const email = 'eve@shop.example';
  await post('/v1/auth/register', { email, password: PASSWORD });
  const { body: session } = await login(email);
  const key = session.access_token as string;
  const person = (await call('GET', '/v1/me', { key })).body.person.id as string;
  const proof = { password: PASSWORD };
  await call('DELETE', '/v1/merchant', { key, body: { confirm: 'My sites', ...proof } });
  await product.kill('SIGTERM');
  await product.startAgain({ FAILPOINT: 'deletion.person-erased:0' });
  await expect(call('DELETE', '/v1/me', { key, body: proof })).rejects.toThrow();
  const kept = async () => {
    const { rows } = await product.postgres.pool.query<{ kept: number }>(
      `SELECT (SELECT count(*) FROM people.data_keys WHERE subject = $1)::integer
        + (SELECT count(*) FROM people.sign_ins WHERE person = $2)::integer AS kept`,
      [`person-${person}`, person],
    );
    return rows[0]!.kept;
  };
  expect(await kept()).toBe(2);
  await product.startAgain();
  for (const deadline = Date.now() + 60_000; (await kept()) > 0;) {
    expect(Date.now()).toBeLessThan(deadline);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect((await call('GET', '/v1/me', { key })).status).toBe(401);
  expect((await post('/v1/auth/register', { email, password: PASSWORD })).status).toBe(201);
  expect((await login(email)).status).toBe(200);
}, 300_000);
