// What browsers and programs prove who they are with, in the wrong hands: cookies used by other sites, keys that were
// revoked, stand in a URL or are not enough for what their holder wants.
import { OPERATOR_KEY } from './operated-product.js';
import { type Answer, OutsideTester, PASSWORD, withoutRequest } from './outside-tester.js';

let tester: OutsideTester;

beforeAll(async () => {
  tester = await OutsideTester.start();
}, 180_000);
afterEach(() => expect(tester.faults.splice(0)).toEqual([]));
afterAll(() => tester?.stop());

const call: OutsideTester['call'] = (...request) => tester.call(...request);
const post = (path: string, body: object, key?: string) => call('POST', path, { body, key });

describe('a cookie', () => {
  let csrf: string;
  let cookie: string;
  const change = (headers: Readonly<Record<string, string>>, key?: string) =>
    call('PATCH', '/v1/me', { headers, key, body: { name: 'Changed' } });

  beforeAll(async () => {
    const { email } = await tester.signUp('cookie@shop.example');
    const planted = 'tidemark=si7Gk2mQx9RtP.chosenByTheAttackerAttacker0000';
    const { headers, body } = await call('POST', '/v1/auth/login', {
      body: { email, password: PASSWORD, cookie: true },
      headers: { cookie: planted },
    });
    const set = headers.get('set-cookie')!;
    expect(set).toMatch(/^tidemark=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
    [cookie] = set.split(';') as [string];
    // What was there before is not what somebody is signed in by.
    expect(cookie).not.toBe(planted);
    expect((await call('GET', '/v1/me', { headers: { cookie: planted } })).status).toBe(401);
    csrf = body.csrf_token as string;
  });

  it.each<[string, Readonly<Record<string, string>>, number]>([
    ['no token', {}, 403],
    ['another token', { 'x-csrf-token': '0'.repeat(64) }, 403],
    ['a page of another origin', { csrf: '', origin: 'https://evil.example' }, 403],
    ['a page without an origin', { csrf: '', origin: 'null' }, 403],
    ['a browser that says another site', { csrf: '', 'sec-fetch-site': 'cross-site' }, 403],
    ['our own page', { csrf: '', 'sec-fetch-site': 'same-origin' }, 200],
  ])('with %s', async (_, { csrf: withToken, ...more }, expected) => {
    const headers = { cookie, ...(withToken !== undefined && { 'x-csrf-token': csrf }), ...more };
    expect((await change(headers)).status).toBe(expected);
  });

  it('does not help a bearer token that is refused, and is not needed by one that is not', async () => {
    const headers = { cookie, 'x-csrf-token': csrf };
    expect((await change(headers, 'tm_madeUpMadeUpMadeUpMadeUpMadeUp')).status).toBe(401);
    const { key } = await tester.signUp('both@shop.example');
    const { body } = await call('GET', '/v1/me', { key, headers: { cookie } });
    expect(body.person.email).toBe('both@shop.example');
    expect(body.csrf_token).toBeUndefined();
  });

  it('changes nothing by GET, whatever the query says', async () => {
    const paths = [
      '/v1/me?name=x',
      '/v1/auth/logout',
      '/v1/me?_method=DELETE',
      '/v1/me/sessions?everywhere=true',
    ];
    for (const path of paths) {
      const headers = { cookie, 'x-http-method-override': 'DELETE' };
      expect([path, (await call('GET', path, { headers })).status < 500]).toEqual([path, true]);
    }
    const { status, body } = await call('GET', '/v1/me', { headers: { cookie } });
    expect([status, body.person.name]).toEqual([200, 'Changed']);
  });
});

describe('a key', () => {
  it('that is revoked, ended or made up, and any in a URL, is refused in the same words, and not logged', async () => {
    const { key } = await tester.signUp('keys@shop.example');
    await post('/v1/sites', { domain: 'keys.example' }, key);
    const { body: issued } = await post('/v1/keys', { name: 'k', scopes: ['stats:read'] }, key);
    const secret = issued.key as string;
    const read = (bearer: string) => call('GET', '/v1/sites/keys.example', { key: bearer });
    expect((await read(secret)).status).toBe(200);
    for (const name of ['key', 'api_key', 'access_token', 'token'])
      expect((await call('GET', `/v1/sites/keys.example?${name}=${secret}`)).status).toBe(401);
    expect((await call('DELETE', `/v1/keys/${issued.id as string}`, { key })).status).toBe(204);
    const answers = [secret, `${secret.slice(0, -1)}x`, 'tm_madeUpMadeUpMadeUpMadeUpMadeUp'];
    const words = new Set<string>();
    for (const one of answers) words.add(withoutRequest(await read(one)));
    expect([...words]).toEqual([expect.stringMatching(/^401 /)]);
    expect(tester.product.lines.join('\n')).not.toContain(secret);
  });

  it.each([
    ['operator', ['operator']],
    ['a permission that only roles have', ['merchant:own']],
    ['members:admin', ['members:admin']],
    ['__proto__', ['__proto__']],
    ['no text', [['sites:admin']]],
  ])('does not get its holder %s', async (_, scopes) => {
    const { key } = await tester.signUp(`scope-${scopes[0]!.length}-${Math.random()}@shop.example`);
    const { body } = await post('/v1/keys', { name: 'k', scopes: ['sites:admin'] }, key);
    for (const bearer of [key, body.key as string]) {
      const { status } = await post('/v1/keys', { name: 'k', scopes }, bearer);
      expect([400, 403]).toContain(status);
    }
  });

  it('of a merchant, or nobody’s, moves no projection; a rebuild that runs is not started again', async () => {
    const { key } = await tester.signUp('rebuilding@shop.example');
    const path = '/admin/v1/projections/sessions/rebuilds';
    const statuses = [
      (await post(path, {}, key)).status,
      (await post(path, {})).status,
      (await call('GET', path, { key: OPERATOR_KEY })).status,
    ];
    expect(statuses).toEqual([403, 401, 405]);
    const both = await Promise.all([post(path, {}, OPERATOR_KEY), post(path, {}, OPERATOR_KEY)]);
    expect(sorted(both)).toEqual([202, 409]);
    const { body } = await call('GET', '/admin/v1/audit?limit=1000', { key: OPERATOR_KEY });
    const types = body.entries.map(({ type }: { type: string }) => type);
    expect(types.filter((type: string) => type === 'RebuildRequested')).toHaveLength(1);
  });
});

const sorted = (answers: readonly Answer[]): readonly number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b);
