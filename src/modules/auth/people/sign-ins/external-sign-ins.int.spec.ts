// Tokens of another issuer, which this spec is: over HTTP, on a real PostgreSQL.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type ControlPlane, startControlPlane } from '../../../../../test/servers/control-plane.js';
import { type MailServer, startMailServer } from '../../../../../test/servers/mail-server.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../../test/servers/postgres.js';

const PASSWORD = 'correct horse battery staple';

let postgres: MigratedPostgres;
let mail: MailServer;
let plane: ControlPlane;
let server: Server;
let issuer: string;
let privateKey: CryptoKey;
let published: JWK[];
let requests: string[] = [];
/** In place of what an issuer answers. */
let misbehave: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

const answer = (request: IncomingMessage, response: ServerResponse) => {
  requests.push(request.url!);
  if (misbehave) return misbehave(request, response);
  const documents: Record<string, object> = {
    '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/keys` },
    '/keys': { keys: published },
  };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(documents[request.url!] ?? {}));
};

const boot = (options: object = {}) =>
  startControlPlane(postgres.pool, {
    environment: {
      OPERATOR_KEY: 'operator-key-of-the-account-tests-0123456789',
      KEY_PEPPER: 'the pepper that all nodes of these tests have',
      PASSWORD_HASH_COST: '12',
      SMTP_URL: mail.url,
      OIDC_ISSUERS: JSON.stringify([{ issuer, audience: 'tidemark', merchantClaim: 'merchant', ...options }]),
    },
  });

async function publish(id: string): Promise<void> {
  const pair = await generateKeyPair('RS256');
  ({ privateKey } = pair);
  published = [{ ...(await exportJWK(pair.publicKey)), kid: id, alg: 'RS256', use: 'sig' }];
}

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  mail = await startMailServer();
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await publish('one');
  plane = await boot();
});
beforeEach(() => {
  requests = [];
  misbehave = undefined;
});
afterAll(async () => {
  await plane?.close();
  await mail?.stop();
  server?.closeAllConnections();
  server?.close();
  await postgres?.stop();
});

const token = (email: string, claims: object = {}, header: object = {}) =>
  new SignJWT({ iss: issuer, aud: 'tidemark', sub: 'x', email, email_verified: true, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
const me = (key: string, node = plane) => node.call('GET', '/v1/me', { key });

async function registered(email: string, isVerified = true): Promise<string> {
  await plane.call('POST', '/v1/auth/register', { key: null, body: { email, password: PASSWORD } });
  if (isVerified) {
    const body = { token: await mail.tokenTo(email, /Confirm/) };
    expect((await plane.call('POST', '/v1/auth/verify', { key: null, body })).status).toBe(204);
  }
  return email;
}

it('sign in the person who has verified that address here, for their own merchant', async () => {
  const email = await registered('kim@shop.example');
  const key = await token(email.toUpperCase());
  const { status, body } = await me(key);
  expect([status, body.person.email]).toEqual([200, email]);
  expect(body.merchant).toBe(body.merchants[0].id);
  expect((await plane.call('POST', '/v1/sites', { key, body: { domain: 'x.example' } })).status).toBe(201);
  const elsewhere = await token(email, { merchant: 'default' });
  expect((await plane.call('GET', '/v1/sites', { key: elsewhere })).status).toBe(403);
  const asked = requests.length;
  for (let n = 0; n < 5; n++) expect((await me(await token(email))).status).toBe(200);
  expect(requests.length).toBe(asked);
  expect((await plane.call('POST', '/v1/auth/logout', { key, body: {} })).status).toBe(409);
});

it('are refused of whoever has no account, or one whose address was never verified', async () => {
  expect((await me(await token('nobody@shop.example'))).status).toBe(401);
  const email = await registered('unverified@shop.example', false);
  expect((await me(await token(email))).status).toBe(401);
});

it('make an account with the first, where that is configured, and one only', async () => {
  const open = await boot({ register: true });
  try {
    const email = 'fresh@shop.example';
    const key = await token(email);
    const answers = await Promise.all(Array.from({ length: 5 }, () => me(key, open)));
    expect(answers.map(({ status }) => status)).toContain(200);
    const { body } = await me(key, open);
    expect(body.person).toMatchObject({ email, emailVerified: true });
    expect(body.merchants).toHaveLength(1);
    const login = { email, password: PASSWORD };
    expect((await open.call('POST', '/v1/auth/login', { key: null, body: login })).status).toBe(401);
  } finally {
    await open.close();
  }
});

it('of before all sign-ins were ended are refused, and later ones taken', async () => {
  const email = await registered('ended@shop.example');
  const old = await token(email);
  expect((await me(old)).status).toBe(200);
  const out = await plane.call('POST', '/v1/auth/logout', { key: old, body: { everywhere: true } });
  expect(out.status).toBe(204);
  expect((await me(old)).status).toBe(401);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect((await me(await token(email))).status).toBe(200);
});

it.each([
  ['another audience', { aud: 'other' }],
  ['another issuer', { iss: 'https://other.example' }],
  ['an address that the issuer did not verify', { email_verified: false }],
  ['an address of which it says nothing', { email_verified: undefined }],
  ['one verified in words only', { email_verified: 'true' }],
  ['no address', { email: undefined }],
  ['what is no address', { email: 'kim' }],
  ['an expiry that has passed', { exp: 1 }],
  ['a beginning that is to come', { nbf: Math.floor(Date.now() / 1000) + 600 }],
])('with %s are refused', async (_, claims) => {
  const email = 'kim@shop.example';
  const good = { iss: issuer, aud: 'tidemark', sub: 'x', email, email_verified: true };
  const now = Math.floor(Date.now() / 1000);
  const forged = await new SignJWT({ ...good, iat: now, exp: now + 300, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .sign(privateKey);
  expect((await me(forged)).status).toBe(401);
});

it('by a secret, by another key, or by a key that they bring are refused; nothing else is fetched', async () => {
  const claims = { iss: issuer, aud: 'tidemark', email: 'kim@shop.example', email_verified: true };
  const hmac = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(Buffer.from(JSON.stringify(published[0])));
  const other = await generateKeyPair('RS256');
  const jwk = await exportJWK(other.publicKey);
  const tries = [hmac];
  for (const header of [
    {},
    { jwk },
    { jku: `${issuer}/hostile` },
    { kid: 'unknown', jku: `${issuer}/hostile` },
  ]) {
    tries.push(
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid: 'one', ...header })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(other.privateKey),
    );
  }
  for (const forged of tries) expect((await me(forged)).status).toBe(401);
  expect(requests.filter((url) => url === '/hostile')).toEqual([]);
});

it.each([
  [
    'redirects',
    (_: unknown, response: ServerResponse) => response.writeHead(302, { location: '/keys' }).end(),
  ],
  ['answers 500', (_: unknown, response: ServerResponse) => response.writeHead(500).end()],
  ['answers something else', (_: unknown, response: ServerResponse) => response.end('<html>')],
  [
    'says that it is another',
    (_: unknown, response: ServerResponse) =>
      response.end(JSON.stringify({ issuer: 'https://other.example', jwks_uri: `${issuer}/keys` })),
  ],
  [
    'has its keys over plain HTTP elsewhere',
    (_: unknown, response: ServerResponse) =>
      response.end(JSON.stringify({ issuer, jwks_uri: 'http://169.254.169.254/keys' })),
  ],
])('cannot be checked while the issuer %s: 503, and 200 as soon as it answers', async (_, misbehaviour) => {
  const node = await boot();
  try {
    const key = await token('kim@shop.example');
    misbehave = misbehaviour;
    const refused = await me(key, node);
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    misbehave = undefined;
    expect((await me(key, node)).status).toBe(200);
  } finally {
    await node.close();
  }
});
