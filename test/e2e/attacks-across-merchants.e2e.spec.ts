// What one merchant's people can do with what is another's, and with bodies, names and headers that nobody in their
// right mind would send. Another's thing and an absent one answer alike, nothing is taken from a body that it may
// not say, and nothing of it is a failure or a stall.
import { OutsideTester, PASSWORD, type Signed, withoutRequest } from './outside-tester.js';

const ABSENT = '7Gk2mQx9RtP';

let tester: OutsideTester;
let victim: Signed;
let attacker: Signed;
/** Of the victim: paths, their last part the id. */
const things: string[] = [];
/** Whatever tells the victim's things. */
const secrets: string[] = [];

const call: OutsideTester['call'] = (...request) => tester.call(...request);
const post = (path: string, body: unknown, key?: string) => call('POST', path, { body, key });

beforeAll(async () => {
  tester = await OutsideTester.start();
  victim = await tester.signUp('victim@shop.example');
  attacker = await tester.signUp('attacker@evil.example');
  const made = async (path: string, body: object, key = victim.key) => {
    const answer = await post(path, body, key);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.body.id as string;
  };
  const site = await made('/v1/sites', { domain: 'victim.example' });
  await made('/v1/sites', { domain: 'attacker.example' }, attacker.key);
  const key = { name: 'k', scopes: ['stats:read'] };
  const invited = { email: 'invited@shop.example', role: 'viewer' };
  const invitation = await made('/v1/merchant/invitations', invited);
  const ofMerchant = await made('/v1/keys', key);
  const ofSite = await made(`/v1/sites/${site}/keys`, key);
  secrets.push(victim.email, victim.person, victim.merchant, site, invitation, ofMerchant, ofSite);
  secrets.push('invited@shop.example', 'victim.example');
  const { body: sessions } = await call('GET', '/v1/me/sessions', { key: victim.key });
  things.push(
    `/v1/sites/${site}`,
    `/v1/merchant/members/${victim.person}`,
    `/v1/merchant/invitations/${invitation}`,
    `/v1/keys/${ofMerchant}`,
    `/v1/keys/${ofMerchant}/rotate`,
    `/v1/sites/${site}/keys/${ofSite}`,
    `/v1/me/sessions/${sessions.sessions[0].id as string}`,
  );
}, 180_000);
afterEach(() => expect(tester.faults.splice(0)).toEqual([]));
afterAll(() => tester?.stop());

/** The same path to something that never was: as long, of the same beginning. */
const absent = (path: string): string =>
  path.replaceAll(/\/(si|[a-z])[\w-]{11}(?=\/|$)/g, (_, kind: string) => `/${kind}${ABSENT}`);

it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])(
  "by %s, what is another's is told from what is absent by nothing",
  async (method) => {
    for (const path of things) {
      expect(absent(path)).not.toBe(path);
      const sent = {
        key: attacker.key,
        ...(method !== 'GET' && method !== 'DELETE' && { body: bodyFor(path, method) }),
      };
      const [there, not] = [await call(method, path, sent), await call(method, absent(path), sent)];
      expect([path, withoutRequest(there)]).toEqual([path, withoutRequest(not)]);
      expect([path, there.status >= 400]).toEqual([path, true]);
      for (const secret of secrets) expect(there.text).not.toContain(secret);
    }
  },
);

/** In order, so that it is not for the body that it is refused. */
function bodyFor(path: string, method: string): object {
  if (path.includes('/members/')) return { role: 'viewer' };
  return method === 'PATCH' ? { name: 'Mine now' } : {};
}

it("leaves the victim's things as they were", async () => {
  const { body: members } = await call('GET', '/v1/merchant/members', { key: victim.key });
  expect(members.members).toMatchObject([{ person: victim.person, role: 'owner', email: victim.email }]);
  for (const path of things.filter((path) => /\/(keys|sites)\/[^/]+$/.test(path))) {
    const { status, body } = await call('GET', path, { key: victim.key });
    expect([path, status, body.name === 'Mine now']).toEqual([path, 200, false]);
  }
  const { body: invitations } = await call('GET', '/v1/merchant/invitations', { key: victim.key });
  expect(invitations.invitations).toHaveLength(1);
});

it('names another merchant nowhere: not in a query, not in a body, not at sign-in', async () => {
  const paths = ['/v1/merchant', '/v1/merchant/members', '/v1/merchant/invitations', '/v1/sites', '/v1/keys'];
  for (const path of paths) {
    const { status, text } = await call('GET', `${path}?merchant=${victim.merchant}`, { key: attacker.key });
    expect([path, [400, 403, 404]]).toEqual([path, expect.arrayContaining([status])]);
    for (const secret of secrets.slice(3)) expect(text).not.toContain(secret);
  }
  const { status } = await tester.login(attacker.email, { merchant: victim.merchant });
  expect(status).toBe(404);
  const next = { refresh_token: attacker.refresh, merchant: victim.merchant };
  expect((await post('/v1/auth/refresh', next)).status).toBe(404);
});

it("a cursor of another's list shows nothing of it", async () => {
  await post('/v1/sites', { domain: 'victim-too.example' }, victim.key);
  const own = (path: string, key: string) => call('GET', path, { key });
  const { body: page } = await own('/v1/sites?limit=1', victim.key);
  expect(page.next_cursor).toEqual(expect.any(String));
  for (const list of ['/v1/sites', '/v1/keys', '/v1/merchant/members', '/v1/merchant/invitations']) {
    const answer = await own(`${list}?cursor=${page.next_cursor as string}`, attacker.key);
    expect([200, 400]).toContain(answer.status);
    for (const secret of secrets) expect(answer.text).not.toContain(secret);
  }
});

it.each([
  ...['', 'x', '%00', "'; DROP TABLE", '../..', 'Iy8q', 'x'.repeat(4_000)].map((value) => `cursor=${value}`),
  ...['0', '-1', '1e9', 'NaN', '', '1.5', '9007199254740993', 'x'].map((value) => `limit=${value}`),
  'cursor=a&cursor=b',
  'cursor[a]=b',
  'limit[]=1',
  '__proto__[limit]=1',
  'surplus=1',
])('a list asked for with ?%s is a fault of who asks', async (query) => {
  for (const list of ['/v1/sites', '/v1/keys', '/v1/merchant/members', '/v1/me/sessions']) {
    const { status } = await call('GET', `${list}?${query}`, { key: attacker.key });
    // Some ids could be; nobody's.
    expect([list, status === 400 || (query === 'cursor=Iy8q' && status === 200)]).toEqual([list, true]);
  }
});

it("the answer that another's Idempotency-Key led to is not to be had by the same request", async () => {
  const body = { name: 'once', scopes: ['stats:read'] };
  const headers = { 'idempotency-key': 'the-same-for-both' };
  const first = await call('POST', '/v1/keys', { body, headers, key: victim.key });
  const second = await call('POST', '/v1/keys', { body, headers, key: attacker.key });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body.id).not.toBe(first.body.id);
  expect(second.body.key).not.toBe(first.body.key);
});

it.each([
  ['idempotency-key', 'x'.repeat(256)],
  ['idempotency-key', 'two words'],
  ['idempotency-key', '""'],
  ['idempotency-key', 'ünïcode'.normalize('NFC').replaceAll(/[^\x00-\xff]/g, '')],
  ['if-match', '"x"'],
  ['if-match', 'W/"1"'],
  ['if-match', '1'],
  ['if-match', '"99999999999999999999"'],
  ['if-match', '"1", "2"'],
])('the header %s: %s is a fault of who sends it', async (name, value) => {
  const sent = { key: attacker.key, headers: { [name]: value } };
  const answer =
    name === 'if-match'
      ? await call('PATCH', '/v1/sites/attacker.example', { ...sent, body: { name: 'x' } })
      : await call('POST', '/v1/keys', { ...sent, body: { name: 'k', scopes: ['stats:read'] } });
  expect(answer.status).toBe(400);
});

describe('a body', () => {
  const NAMES_MERCHANT: ReadonlySet<string> = new Set(['/v1/sites', '/v1/keys']);
  const TAKES: readonly (readonly [method: string, path: string, good: object])[] = [
    ['POST', '/v1/sites', { domain: 'assigned.example' }],
    ['PATCH', '/v1/sites/attacker.example', { name: 'Mine' }],
    ['POST', '/v1/keys', { name: 'k', scopes: ['stats:read'] }],
    ['POST', '/v1/merchant/invitations', { email: 'x@evil.example', role: 'viewer' }],
    ['PATCH', '/v1/merchant', { name: 'Mine' }],
    ['PATCH', '/v1/me', { name: 'Me' }],
    ['POST', '/v1/auth/register', { email: 'y@evil.example', password: PASSWORD }],
  ];
  const FORBIDDEN = ['merchant', 'id', 'createdAt', 'person', 'owner', 'emailVerified', 'revision'];

  it.each(TAKES)('of %s %s cannot say what is not asked for', async (method, path, good) => {
    for (const field of FORBIDDEN) {
      const body = { ...good, [field]: victim.merchant };
      const answer = await call(method, path, { body, key: attacker.key, from: tester.newAddress() });
      // Only the operator says for which merchant; everybody else is told that, or that there is no such field.
      expect([field, answer.status]).toEqual([
        field,
        field === 'merchant' && NAMES_MERCHANT.has(path) ? 403 : 400,
      ]);
    }
  });

  it.each(TAKES)('of %s %s cannot change what objects are', async (method, path) => {
    for (const raw of [
      '{"__proto__":{"role":"owner","scopes":["operator"]}}',
      '{"name":"x","__proto__":null}',
      '{"constructor":{"prototype":{"isAdmin":true}}}',
    ]) {
      const answer = await call(method, path, { raw, key: attacker.key, from: tester.newAddress() });
      expect([raw, answer.status]).toEqual([raw, 400]);
    }
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it.each(TAKES)('of %s %s is of the types that are asked for', async (method, path, good) => {
    const statuses: number[] = [];
    for (const field of Object.keys(good)) {
      for (const value of [
        5,
        true,
        null,
        {},
        [[]],
        { $ne: '' },
        { toString: 'x' },
        ['a', ['b']],
        '\u0000',
        '',
      ]) {
        const body = { ...good, [field]: value };
        const answer = await call(method, path, { body, key: attacker.key, from: tester.newAddress() });
        // A name may be taken back by null.
        if (!(path === '/v1/me' && value === null)) statuses.push(answer.status);
      }
    }
    expect([...new Set(statuses)]).toEqual([400]);
  });

  it.each<[string, string, number]>([
    ['an array', '[]', 400],
    ['text', '"x"', 400],
    ['a number', '1e400', 400],
    ['nothing', '', 400],
    ['half of one', '{"domain":', 400],
    ['5,000 arrays deep', `{"domain":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 400],
    ['5,000 objects deep', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 400],
    [
      '20,000 unknown fields',
      JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${n}`, n]))),
      400,
    ],
  ])('that is %s', async (_, raw, expected) => {
    const before = tester.residentKb;
    const { status } = await call('POST', '/v1/sites', { raw, key: attacker.key });
    expect(status).toBe(expected);
    expect(tester.residentKb - before).toBeLessThan(100_000);
    expect((await call('GET', '/v1/me', { key: attacker.key })).tookMs).toBeLessThan(1_000);
  });
});

describe('a domain', () => {
  const claim = (domain: string) => post('/v1/sites', { domain }, attacker.key);

  it.each([
    'victim.example',
    'VICTIM.example',
    'www.victim.example',
    'Victim.Example.',
    'https://victim.example/',
    ' victim.example ',
    'ｖｉｃｔｉｍ.example',
    'victim。example',
    'vi\u00adctim.example',
  ])('that is taken is not to be had as %j', async (domain) => {
    const { status, text } = await claim(domain);
    expect([400, 409]).toContain(status);
    for (const secret of [victim.merchant, victim.person]) expect(text).not.toContain(secret);
  });

  it.each([
    '*',
    '*.example',
    '*.victim.example',
    '.victim.example',
    'victim..example',
    'a b.example',
    'a\u0000.example',
  ])('is not %j', async (domain) => {
    expect((await claim(domain)).status).toBe(400);
    const { status } = await call('PATCH', '/v1/sites/attacker.example', {
      key: attacker.key,
      body: { aliases: [domain] },
    });
    expect(status).toBe(400);
  });

  it('of letters that look alike is another one, and shown so that they can be told apart', async () => {
    const { status, body } = await claim('vіctim.example');
    expect([status, body.domain]).toEqual([201, 'xn--vctim-n2e.example']);
  });

  it('is not to be had through aliases and tracking ids of another', async () => {
    for (const body of [{ aliases: ['victim.example'] }, { aliases: ['www.VICTIM.example'] }]) {
      const { status } = await call('PATCH', '/v1/sites/attacker.example', { key: attacker.key, body });
      expect(status).toBe(409);
    }
  });
});

it.each(['\u0000', 'a\nb', 'a\u001b[2Jb', '\ud800', '\u202egnp.exe\u0007', ' ', 'x'.repeat(10_000)])(
  'a name %j is refused wherever there are names',
  async (name) => {
    const answers = [
      await post('/v1/sites', { domain: 'named.example', name }, attacker.key),
      await post('/v1/keys', { name, scopes: ['stats:read'] }, attacker.key),
      await call('PATCH', '/v1/merchant', { key: attacker.key, body: { name } }),
      await call('PATCH', '/v1/me', { key: attacker.key, body: { name } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  },
);
