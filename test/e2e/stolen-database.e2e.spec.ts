// What somebody has who steals the database, event store and all: nothing that opens anything. Everything secret that
// the product gives out or is told is looked for in every table, as text, in hexadecimal and in base 64; and what is
// there in place of a key is no key.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tokenIn } from '../servers/mail-server.js';
import { OPERATOR_KEY } from './operated-product.js';
import { OutsideTester, PASSWORD } from './outside-tester.js';

const EMAIL = 'kim.canary@people.example';
const INVITED = 'invited.canary@people.example';
const NAME = 'Kim Canary Person';
const LINK_PASSWORD = 'a stable of correct batteries';
const IDEMPOTENCY_KEY = 'canary-of-idempotency-3f1c';
/** What may be there, and so shows that all of it is looked through. */
const DOMAIN = 'canary-domain.example';

let tester: OutsideTester;
/** By what it is. */
const secrets = new Map<string, string>();
let rows: readonly string[];

beforeAll(async () => {
  tester = await OutsideTester.start();
  const call: OutsideTester['call'] = (...request) => tester.call(...request);
  const said = async (path: string, body: object, key?: string, headers = {}) => {
    const answer = await call('POST', path, { body, key, headers });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const one = await tester.signUp(EMAIL);
  await call('PATCH', '/v1/me', { key: one.key, body: { name: NAME } });
  await said('/v1/sites', { domain: DOMAIN }, one.key);
  const issued = await said('/v1/keys', { name: 'k', scopes: ['stats:read'] }, one.key, {
    'idempotency-key': IDEMPOTENCY_KEY,
  });
  const link = await said(
    `/v1/sites/${DOMAIN}/shared-links`,
    { name: 'l', password: LINK_PASSWORD },
    one.key,
  );
  await said('/v1/merchant/invitations', { email: INVITED, role: 'viewer' }, one.key);
  const verification = tokenIn(await tester.mailTo(EMAIL, 'Confirm'));
  await said('/v1/auth/password/forgot', { email: EMAIL });
  const enrolled = await said('/v1/me/totp', { password: PASSWORD }, one.key);
  const cookied = await tester.login(EMAIL, { cookie: true });
  const cookie = cookied.headers.get('set-cookie')!.split(';')[0]!.split('=')[1]!;
  const pepper = readFileSync(join(tester.product.directory, 'secrets', 'key-pepper'), 'utf8').trim();
  const entries: readonly (readonly [string, string])[] = [
    ['the operator’s key', OPERATOR_KEY],
    ['a key', issued.key],
    ['the rest of a key', (issued.key as string).slice((issued.prefix as string).length)],
    ['an access token', one.key],
    ['a refresh token', one.refresh],
    ['the secret of a cookie', cookie],
    ['its second part', cookie.split('.')[1]!],
    ['a password', PASSWORD],
    ['a link', link.token],
    ['the secret of a link', (link.token as string).split('.')[1]!],
    ['the password of a link', LINK_PASSWORD],
    ['the token of an invitation', tokenIn(await tester.mailTo(INVITED, 'You are invited'))],
    ['the token of a verification', verification],
    ['the token of a reset', tokenIn(await tester.mailTo(EMAIL, 'Choose'))],
    ['the secret of an authenticator', enrolled.secret],
    ['an enrolment', enrolled.enrolment],
    ['an Idempotency-Key', IDEMPOTENCY_KEY],
    ['an address', EMAIL],
    ['an invited address', INVITED],
    ['a name', NAME],
    ['the pepper', pepper],
  ];
  for (const [what, secret] of entries) secrets.set(what, secret);
  rows = await everyRow();
}, 180_000);
afterAll(() => tester?.stop());

async function everyRow(): Promise<readonly string[]> {
  const { pool } = tester.product.postgres;
  const tables = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows: texts } = await pool.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
    found.push(...texts.map(({ text }) => `${name}: ${text}`));
  }
  return found;
}

/** As somebody may have written it down. */
const spellings = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
};

it('is looked through whole', () => {
  expect(rows.filter((row) => row.startsWith('event_store.events')).length).toBeGreaterThan(8);
  expect(rows.filter((row) => row.startsWith('people.')).length).toBeGreaterThan(2);
  expect(rows.some((row) => row.includes(DOMAIN))).toBe(true);
  expect([...secrets.values()].filter((secret) => typeof secret !== 'string' || secret.length < 8)).toEqual(
    [],
  );
});

it('holds nothing that was secret, however it is spelled', () => {
  const found = [...secrets].flatMap(([what, secret]) =>
    rows
      .filter((row) => spellings(secret).some((spelling) => row.includes(spelling)))
      .map((row) => `${what} in ${row.slice(0, 200)}`),
  );
  expect(found).toEqual([]);
});

it('lets nobody in by what stands in place of a key', async () => {
  const digests = [...rows.join('\n').matchAll(/[\da-f]{64}/g)].map(([digest]) => digest);
  expect(digests.length).toBeGreaterThan(0);
  for (const digest of new Set(digests)) {
    for (const shown of [
      digest,
      Buffer.from(digest, 'hex').toString('base64url'),
      `tm_${digest.slice(0, 32)}`,
    ]) {
      const from = tester.newAddress();
      expect((await tester.call('GET', '/v1/sites', { key: shown, from })).status).toBe(401);
    }
  }
});
