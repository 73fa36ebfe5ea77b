// Merchants and people that are deleted: who may, what ends at once, and what can still be found out about them; as
// the application's role on a real PostgreSQL, with a real mail server.
import { Pool } from 'pg';
import { type Answer, type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MailServer, startMailServer } from '../../../../test/servers/mail-server.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { totpSecretOf } from '../../../../test/totp-secret.js';
import { EventStore } from '../../../event-store/event-store.js';
import { asApplication } from '../../../postgres/database-roles.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { DirectorySnapshots } from '../directories/directory-snapshots.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { KeyPepper } from '../keys/key-pepper.js';
import { MemberDirectory } from '../merchants/member.directory.js';
import { PersonDirectory } from '../people/person.directory.js';
import { Sealer } from '../people/sealing.js';
import { codeOf, stepAt } from '../people/totp.js';

const PASSWORD = 'correct horse battery staple';
const OPERATOR_KEY = 'operator-key-of-the-deletion-tests-0123456789';
const CANARY = 'canary6f1d2c';
const ENVIRONMENT = {
  OPERATOR_KEY,
  PASSWORD_HASH_COST: '12',
  AUTH_EMAIL_VERIFICATION: 'optional',
  AUTH_GUESSES_PER_ACCOUNT_MAX: '1000',
  AUTH_GUESSES_PER_ADDRESS_MAX: '100000',
};

let postgres: MigratedPostgres;
let pool: Pool;
let mail: MailServer;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  pool = new Pool({ ...(await asApplication(postgres.url)), max: 20 });
  mail = await startMailServer();
  plane = await startControlPlane(pool, { environment: { ...ENVIRONMENT, SMTP_URL: mail.url } });
});
afterAll(async () => {
  await plane?.close();
  await mail?.stop();
  await pool?.end();
  await postgres?.stop();
});

type Method = Parameters<ControlPlane['call']>[0];
const as =
  (key: string) =>
  (method: Method, path: string, body?: object): Promise<Answer> =>
    plane.call(method, path, { key, ...(body && { body }) });
const operator = as(OPERATOR_KEY);

interface Registered {
  readonly email: string;
  readonly id: string;
  readonly merchant: string;
  readonly call: ReturnType<typeof as>;
}

async function signIn(email: string, more: object = {}): Promise<Answer> {
  return plane.call('POST', '/v1/auth/login', { key: null, body: { email, password: PASSWORD, ...more } });
}

let people = 0;
async function register(email = `p${++people}@shop.example`, name = 'Kim'): Promise<Registered> {
  const body = { email, name, password: PASSWORD };
  await plane.call('POST', '/v1/auth/register', { key: null, body });
  const call = as((await signIn(email)).body.access_token);
  const { body: me } = await call('GET', '/v1/me');
  return { email, id: me.person.id, merchant: me.merchant, call };
}

/** As somebody who is a member now, and signed in for that merchant. */
async function join(owner: Registered, invited: Registered, role: string): Promise<ReturnType<typeof as>> {
  await owner.call('POST', '/v1/merchant/invitations', { email: invited.email, role });
  const token = await mail.tokenTo(invited.email, /invit/i);
  expect((await invited.call('POST', '/v1/invitations/accept', { token })).status).toBe(200);
  return as((await signIn(invited.email, { merchant: owner.merchant })).body.access_token);
}

const removeMerchant = (call: ReturnType<typeof as>, more: object = {}) =>
  call('DELETE', '/v1/merchant', { confirm: 'My sites', password: PASSWORD, ...more });

/** Until nothing of it is left. */
async function removed(merchant: string): Promise<Answer['body'][]> {
  for (;;) {
    const { body } = await operator('GET', `/admin/v1/deletions?merchant=${merchant}&limit=100`);
    if (body.deletions[0]?.left === 0) return body.deletions;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('a merchant', () => {
  it('is gone at once with all that it owns, and says how far that is when it is asked again', async () => {
    const owner = await register();
    const sites: string[] = [];
    for (let n = 0; n < 120; n++) {
      const site = await owner.call('POST', '/v1/sites', {
        domain: `${owner.id}-${n}.example`.toLowerCase(),
      });
      expect(site.status).toBe(201);
      sites.push(site.body.id);
    }
    const [domain] = [`${owner.id}-0.example`.toLowerCase()];
    const wide = (await owner.call('POST', '/v1/keys', { name: 'all', scopes: ['stats:read'] })).body;
    await owner.call('POST', `/v1/sites/${domain}/keys`, { name: 'one', scopes: ['ingest'] });
    const link = (await owner.call('POST', `/v1/sites/${domain}/shared-links`, { name: 'l' })).body.token;
    const invitation = (
      await owner.call('POST', '/v1/merchant/invitations', { email: 'x@shop.example', role: 'viewer' })
    ).body.id;
    await operator('PUT', `/admin/v1/merchants/${owner.merchant}/quota`, { eventsPerMonth: 5 });
    expect((await as(wide.key)('GET', '/v1/sites')).status).toBe(200);

    const first = await removeMerchant(owner.call);
    expect([first.status, first.body]).toMatchObject([
      202,
      { kind: 'merchant', site: null, merchant: owner.merchant, erasedAt: null, rows: 0 },
    ]);
    const graceMs = Date.parse(first.body.eraseAfter) - Date.parse(first.body.deletedAt);
    expect(graceMs).toBe(7 * 86_400_000);
    expect((await as(wide.key)('GET', '/v1/sites')).status).toBe(401);
    for (const site of [sites[0], sites[119], domain]) {
      expect((await operator('GET', `/v1/sites/${site}`)).status).toBe(404);
    }
    expect((await plane.call('POST', `/v1/shared/${link}/session`, { key: null, body: {} })).status).toBe(
      404,
    );
    expect((await owner.call('GET', '/v1/me')).body).toMatchObject({ merchant: null, merchants: [] });
    expect((await owner.call('GET', '/v1/merchant')).status).toBe(403);
    for (const path of ['', '/quota']) {
      expect((await operator('GET', `/admin/v1/merchants/${owner.merchant}${path}`)).status).toBe(404);
    }
    const again = await removeMerchant(owner.call, { confirm: 'anything' });
    expect([again.status, again.body.deletedAt]).toEqual([202, first.body.deletedAt]);

    const deletions = await removed(owner.merchant);
    expect(deletions[0]).toMatchObject({ kind: 'merchant', state: 'waiting' });
    const second = await operator('GET', `/admin/v1/deletions?merchant=${owner.merchant}&limit=100`);
    const rest = await operator(
      'GET',
      `/admin/v1/deletions?merchant=${owner.merchant}&limit=100&cursor=${second.body.next_cursor}`,
    );
    const listed = [...second.body.deletions, ...rest.body.deletions].map(({ site }) => site);
    expect(new Set(listed.slice(1))).toEqual(new Set(sites));
    expect(await count('control.keys', 'merchant', owner.merchant)).toBe(0);
    expect(await count('people.data_keys', 'subject', `invitation-${invitation}`)).toBe(0);
    // Its domains are free.
    expect((await operator('POST', '/v1/sites', { domain })).status).toBe(201);
    expect((await removeMerchant(owner.call)).body).toMatchObject({ state: 'waiting', left: 0 });
  }, 300_000);

  const count = async (table: string, column: string, value: string): Promise<number> =>
    Number((await pool.query(`SELECT count(*) FROM ${table} WHERE ${column} = $1`, [value])).rows[0].count);

  it('is deleted by an owner who means it and proves to be there, and by nobody else', async () => {
    const [owner, other, stranger] = [await register(), await register(), await register()];
    for (const role of ['viewer', 'editor', 'admin']) {
      const member = await join(owner, await register(), role);
      expect((await removeMerchant(member)).status).toBe(403);
    }
    const key = await owner.call('POST', '/v1/keys', { name: 'k', scopes: ['sites:admin'] });
    expect((await removeMerchant(as(key.body.key))).status).toBe(403);
    expect((await removeMerchant(operator)).status).toBe(403);
    // Who was a member once is told what anybody is told who never was.
    const former = await join(owner, other, 'owner');
    await owner.call('DELETE', `/v1/merchant/members/${other.id}`);
    expect((await removeMerchant(former)).status).toBe(404);
    // Their own, whatever they name.
    expect((await removeMerchant(stranger.call, { confirm: owner.merchant })).status).toBe(400);

    const refusals = [{ confirm: 'Another' }, { confirm: undefined }, { password: undefined }].map((body) =>
      removeMerchant(owner.call, body),
    );
    for (const { status, body } of await Promise.all(refusals)) {
      expect([status, body.errors.length]).toEqual([400, 1]);
    }
    expect((await removeMerchant(owner.call, { password: 'a wrong horse' })).status).toBe(403);
    expect((await owner.call('GET', '/v1/merchant')).status).toBe(200);
    expect((await removeMerchant(owner.call, { confirm: owner.merchant })).status).toBe(202);
    // Another owner would have been one, but is nobody there any more.
    expect((await removeMerchant(former)).status).toBe(404);
  });

  it('is deleted by the operator, but for their own', async () => {
    const { id } = (await operator('POST', '/admin/v1/merchants', { name: 'Shops' })).body;
    const remove = (body: object, merchant = id) =>
      operator('DELETE', `/admin/v1/merchants/${merchant}`, body);
    expect((await remove({})).status).toBe(400);
    expect((await remove({ confirm: 'shops' })).status).toBe(400);
    expect((await remove({ confirm: 'default' }, 'default')).status).toBe(409);
    expect((await remove({ confirm: 'm1' }, 'm1')).status).toBe(404);
    expect((await remove({ confirm: 'x' }, '..%20')).status).toBe(404);
    expect([
      (await remove({ confirm: 'Shops' })).status,
      (await remove({ confirm: 'Shops' })).status,
    ]).toEqual([202, 202]);
    for (const path of ['/v1/sites', '/v1/keys', '/v1/merchant/invitations?merchant=']) {
      const body = path.endsWith('=')
        ? { email: 'x@shop.example', role: 'viewer' }
        : {
            merchant: id,
            ...(path === '/v1/sites' ? { domain: 'late.example' } : { name: 'k', scopes: ['ingest'] }),
          };
      const { status } = await operator('POST', path.endsWith('=') ? path + id : path, body);
      expect([path, status]).toEqual([path, path.endsWith('=') ? 404 : 400]);
    }
    const listed = await operator('GET', `/admin/v1/merchants?search=${id}`);
    expect(listed.body.merchants).toEqual([]);
  });

  it('keeps nothing that was being made while it was deleted', async () => {
    const { id: merchant } = (await operator('POST', '/admin/v1/merchants', { name: 'Race' })).body;
    const making = Array.from({ length: 30 }, (_, n) => [
      operator('POST', '/v1/sites', { domain: `race-${n}.example`, merchant }),
      operator('POST', '/v1/keys', { name: `k${n}`, scopes: ['stats:read'], merchant }),
    ]).flat();
    const deleting = operator('DELETE', `/admin/v1/merchants/${merchant}`, { confirm: merchant });
    const made = await Promise.all(making);
    expect((await deleting).status).toBe(202);
    for (const { status } of made) expect([201, 400]).toContain(status);
    await removed(merchant);
    for (const { status, body } of made) {
      if (status === 201 && body.key !== undefined) {
        expect((await as(body.key)('GET', '/v1/sites')).status).toBe(401);
      }
    }
    for (let n = 0; n < 30; n++) {
      expect((await operator('GET', `/v1/sites/race-${n}.example`)).status).toBe(404);
      expect((await operator('POST', '/v1/sites', { domain: `race-${n}.example` })).status).toBe(201);
    }
  }, 300_000);
});

/** Where it can be read: in any table, as it stands, or by whatever key is left that opens it. */
async function canaries(): Promise<readonly string[]> {
  const { rows: tables } = await postgres.pool.query<{ name: string }>(
    `SELECT nspname || '.' || relname AS name FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const { rows: subjects } = await pool.query<{ subject: string }>('SELECT subject FROM people.data_keys');
  const sealer = new Sealer(pool, plane.app.get(KeyPepper));
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await postgres.pool.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
    for (const { row } of rows) {
      if (row.includes(CANARY) || row.includes(Buffer.from(CANARY).toString('hex'))) found.push(name);
      for (const sealed of row.match(/[\w-]{60,}/g) ?? []) {
        for (const { subject } of subjects) {
          if ((await sealer.open(subject, sealed))?.includes(CANARY)) found.push(`${name}, sealed`);
        }
      }
    }
  }
  return found;
}

/** As a node does that had much to read. */
async function writeSnapshot(): Promise<void> {
  const telemetry = new Telemetry('silent');
  const follower = new DirectoryFollower({
    eventStore: plane.app.get(EventStore),
    snapshots: new DirectorySnapshots(pool, telemetry),
    telemetry,
    sites: new SiteDirectory(),
    keys: new KeyDirectory({ OPERATOR_KEY }, plane.app.get(KeyPepper)),
    eventsWorthASnapshot: 1,
  });
  for (const Followed of [MemberDirectory, PersonDirectory]) new Followed(follower);
  await follower.onModuleInit();
}

describe('a person', () => {
  const erase = (call: ReturnType<typeof as>, more: object = {}) =>
    call('DELETE', '/v1/me', { password: PASSWORD, ...more });

  it('is nowhere any more, neither in tables, events and snapshots nor in what others see', async () => {
    const keeper = await register();
    const email = `${CANARY}@shop.example`;
    const gone = await register(email, CANARY);
    await join(keeper, gone, 'editor');
    const agent = { headers: { 'user-agent': CANARY } };
    const credentials = { email, password: PASSWORD, merchant: keeper.merchant };
    const { body: session } = await plane.call('POST', '/v1/auth/login', {
      key: null,
      body: credentials,
      ...agent,
    });
    const cookie = await plane.call('POST', '/v1/auth/login', {
      ...{ key: null, body: { ...credentials, cookie: true }, ...agent },
    });
    const members = async () => (await keeper.call('GET', '/v1/merchant/members')).body.members;
    expect(await members()).toContainEqual(expect.objectContaining({ email, name: CANARY }));
    await writeSnapshot();
    const before = await canaries();
    expect(before).toContain('people.sign_ins');
    expect(before).toContain('event_store.events, sealed');

    expect((await erase(gone.call)).body.detail).toContain(gone.merchant);
    expect((await removeMerchant(gone.call)).status).toBe(202);
    expect((await erase(gone.call, { password: undefined })).status).toBe(400);
    expect((await erase(gone.call, { password: 'a wrong horse' })).status).toBe(403);
    expect((await erase(gone.call)).status).toBe(204);
    await writeSnapshot();
    expect(await canaries()).toEqual([]);

    expect((await members()).map(({ person }: { person: string }) => person)).toEqual([keeper.id]);
    for (const token of [session.access_token, session.refresh_token]) {
      expect((await as(token)('GET', '/v1/me')).status).toBe(401);
    }
    const refresh = { key: null, body: { refresh_token: session.refresh_token } };
    expect((await plane.call('POST', '/v1/auth/refresh', refresh)).status).toBe(401);
    const headers = { cookie: String(cookie.headers['set-cookie']).split(';')[0]! };
    expect((await plane.call('GET', '/v1/me', { key: null, headers })).status).toBe(401);
    expect((await signIn(email)).status).toBe(401);
    expect((await erase(gone.call)).status).toBe(401);

    const anew = await register(email, 'Somebody else');
    expect(anew.id).not.toBe(gone.id);
    expect((await anew.call('GET', '/v1/me')).body.merchants).toHaveLength(1);
  }, 300_000);

  it('gives the code, too, where there is a second factor', async () => {
    const { call } = await register();
    const enrolled = (await call('POST', '/v1/me/totp', { password: PASSWORD })).body;
    const secret = totpSecretOf(enrolled.secret);
    const code = (step: number) => codeOf(secret, stepAt(Date.now()) + step);
    await call('POST', '/v1/me/totp/confirm', { enrolment: enrolled.enrolment, code: code(-1) });
    expect((await erase(call)).body.errors).toEqual([{ path: 'code', message: 'code is needed' }]);
    expect((await erase(call, { code: '000000' })).status).toBe(403);
    // The code was right, so this is what is wrong.
    expect((await erase(call, { code: code(0) })).status).toBe(409);
  });

  it('hands over or deletes what nobody else owns, and then leaves the rest', async () => {
    const [leaving, staying] = [await register(), await register()];
    await join(leaving, staying, 'admin');
    expect((await erase(leaving.call)).status).toBe(409);
    await leaving.call('PATCH', `/v1/merchant/members/${staying.id}`, { role: 'owner' });
    expect((await erase(leaving.call)).status).toBe(204);
    const owner = as((await signIn(staying.email, { merchant: leaving.merchant })).body.access_token);
    expect((await owner('GET', '/v1/merchant/members')).body.members).toHaveLength(1);
  });

  it('is found by the operator whom they wrote to, and erased; of an invitation nothing changes', async () => {
    const [asking, inviter] = [await register(), await register()];
    await inviter.call('POST', '/v1/merchant/invitations', { email: asking.email, role: 'viewer' });
    const found = await operator('POST', '/admin/v1/people/lookup', { email: asking.email.toUpperCase() });
    expect(found.body).toMatchObject({
      person: { id: asking.id, email: asking.email },
      merchants: [{ id: asking.merchant, role: 'owner' }],
    });
    const path = `/admin/v1/people/${asking.id}`;
    for (const call of [asking.call, inviter.call]) expect((await call('DELETE', path)).status).toBe(403);
    expect((await operator('DELETE', path)).status).toBe(409);
    await operator('DELETE', `/admin/v1/merchants/${asking.merchant}`, { confirm: asking.merchant });
    expect((await operator('DELETE', path)).status).toBe(204);
    expect((await operator('DELETE', path)).status).toBe(204);
    for (const id of ['p1', '..%20'])
      expect((await operator('DELETE', `/admin/v1/people/${id}`)).status).toBe(404);
    const lookup = await operator('POST', '/admin/v1/people/lookup', { email: asking.email });
    expect(lookup.status).toBe(404);
    const { body } = await inviter.call('GET', '/v1/merchant/invitations');
    expect(body.invitations).toMatchObject([{ email: asking.email }]);
  });
});
