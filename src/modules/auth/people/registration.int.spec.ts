// Who may make an account where not everybody may, on a real PostgreSQL and with a real mail server.
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MailServer, startMailServer } from '../../../../test/servers/mail-server.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';

const PASSWORD = 'correct horse battery staple';
const INVITED = /^You are invited/;
const MADE_UP = 'i7Gk2mQx9RtP.default.4fQ9sXbT1mVc4fQ9sXbT1mVc';

let postgres: MigratedPostgres;
let mail: MailServer;
let plane: ControlPlane;

const start = async (registration: string) => {
  plane = await startControlPlane(postgres.pool, {
    environment: {
      ...{ OPERATOR_KEY, SMTP_URL: mail.url, PASSWORD_HASH_COST: '12' },
      KEY_PEPPER: 'the pepper that all nodes of these tests have',
      AUTH_EMAIL_VERIFICATION: 'optional',
      REGISTRATION: registration,
    },
  });
};

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  mail = await startMailServer();
});
afterEach(() => plane?.close());
afterAll(async () => {
  await mail?.stop();
  await postgres?.stop();
});

const post = (path: string, body: object, key: string | null = null) =>
  plane.call('POST', path, { key, body });
const register = (email: string, invitation?: string) =>
  post('/v1/auth/register', { email, password: PASSWORD, ...(invitation !== undefined && { invitation }) });
const login = (email: string) => post('/v1/auth/login', { email, password: PASSWORD });

async function invite(email: string): Promise<{ readonly id: string; readonly token: string }> {
  const { body } = await post('/v1/merchant/invitations', { email, role: 'viewer' }, OPERATOR_KEY);
  return { id: body.id as string, token: await mail.tokenTo(email, INVITED) };
}

const eventsNow = async () =>
  (await postgres.pool.query<{ count: string }>('SELECT count(*) FROM event_store.events')).rows[0]!.count;

it('open: nobody is asked for an invitation', async () => {
  await start('open');
  expect((await register('early@shop.example')).status).toBe(201);
  expect((await login('early@shop.example')).status).toBe(200);
});

describe('invited', () => {
  beforeEach(() => start('invited'));

  it('whoever shows the invitation of that address registers, and becomes a member', async () => {
    const email = 'invited@shop.example';
    const { token } = await invite(email);
    expect((await register(' Invited@Shop.example ', token)).status).toBe(201);
    const { body } = await login(email);
    const accepted = await post('/v1/invitations/accept', { token }, body.access_token);
    expect([accepted.status, accepted.body.role]).toEqual([200, 'viewer']);
  });

  it('everybody else is refused in the same words, and nothing is stored', async () => {
    const other = await invite('other@shop.example');
    const withdrawn = await invite('withdrawn@shop.example');
    await plane.call('DELETE', `/v1/merchant/invitations/${withdrawn.id}`);
    const expired = await invite('expired@shop.example');
    await postgres.pool.query(
      `UPDATE event_store.events SET data = jsonb_set(data, '{expiresAt}', '"2020-01-01T00:00:00Z"')
       WHERE type = 'InvitationSent' AND data->>'invitation' = $1`,
      [expired.id],
    );
    const before = await eventsNow();
    const refused = [
      // Who has an account, who is invited, and nobody.
      await register('early@shop.example'),
      await register('other@shop.example'),
      await register('nobody@shop.example'),
      await register('nobody@shop.example', MADE_UP),
      await register('nobody@shop.example', MADE_UP.replace('default', 'absent')),
      await register('nobody@shop.example', other.token),
      await register('early@shop.example', other.token),
      await register('other@shop.example', other.token.slice(0, -1)),
      await register('withdrawn@shop.example', withdrawn.token),
      await register('expired@shop.example', expired.token),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect(new Set(refused.map(({ body }) => JSON.stringify({ ...body, instance: '' }))).size).toBe(1);
    expect(refused[0]!.body).toMatchObject({ type: '/problems/registration-closed' });
    expect(await eventsNow()).toBe(before);
    expect((await register('nobody@shop.example', 'no token')).status).toBe(400);
  });

  it('an invitation that made its member makes no more accounts', async () => {
    const email = 'once@shop.example';
    const { token } = await invite(email);
    await register(email, token);
    const { body } = await login(email);
    await post('/v1/invitations/accept', { token }, body.access_token);
    expect((await register(email, token)).status).toBe(403);
  });

  it('is told with the invitation', async () => {
    await invite('told@shop.example');
    const { text } = await mail.mailTo('told@shop.example', INVITED);
    expect(text).toContain('or register there with the address that this was sent to');
  });
});

describe('closed', () => {
  beforeEach(() => start('closed'));

  it('nobody registers, invited or not; who has an account signs in and accepts', async () => {
    const { token } = await invite('early@shop.example');
    const refused = [await register('early@shop.example', token), await register('nobody@shop.example')];
    expect(refused.map(({ status }) => status)).toEqual([403, 403]);
    expect(refused[0]!.body.detail).toBe(refused[1]!.body.detail);
    const { body } = await login('early@shop.example');
    expect((await post('/v1/invitations/accept', { token }, body.access_token)).status).toBe(200);
  });
});
