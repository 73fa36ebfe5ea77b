// Every operation of the OpenAPI document that changes something, on the product as it runs: whoever reads the audit
// trail finds who did it, what, when and from where. An operation that is added and neither walked here nor known to
// leave no event fails.
import { mailedTokenOf } from './mailed-token.js';
import {
  asks,
  bodiesOf,
  inOrder,
  isIntake,
  MadeIds,
  type OpenApi,
  type Request,
  requestsOf,
  urlOf,
} from './documented-requests.js';
import { OperatedProduct, OPERATOR_KEY, type RebuildSaid } from './operated-product.js';
import { codeOf, stepAt } from '../../src/modules/auth/people/totp.js';

const PASSWORD = 'correct horse battery staple';
const FRESH = 'a fresh horse battery staple';
/** Of RIPE NCC, in the Netherlands. */
const FROM = {
  'x-forwarded-for': '193.0.6.139',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
};
/** With why there is nothing to be told. */
const LEAVE_NO_EVENT: Readonly<Record<string, string>> = {
  'post /admin/v1/people/lookup': 'asks only',
  'post /admin/v1/merchants/{id}/quota/reveal': 'nothing is hidden here',
  'post /v1/sites/{site}/exports': 'a job, in PostgreSQL',
  'delete /v1/sites/{site}/jobs/{id}': 'a job, in PostgreSQL',
  'post /v1/shared/{token}/session': 'a token that is stored nowhere',
  'post /v1/auth/verification': 'a mail',
  'post /v1/auth/password/forgot': 'a mail',
  'post /v1/auth/refresh': 'a row of the sign-in, unless a token comes twice',
  'post /v1/me/totp': 'nothing is stored before the first code',
};

let product: OperatedProduct;
let document: OpenApi;
const made = new MadeIds();
/** By the ids of the requests: what was asked for, and by whom. */
const asked = new Map<string, { readonly operation: string; readonly kind: 'operator' | 'account' }>();

beforeAll(async () => {
  product = await OperatedProduct.start({
    ...{ TRUST_PROXY: '1', LOG_LEVEL: 'info', PASSWORD_HASH_COST: '12' },
  });
  document = await product.said('GET', '/docs-json');
}, 180_000);
afterAll(() => product?.stop());

interface Sent {
  /** Default: as it is documented. */
  readonly path?: string;
  readonly key?: string | null;
  readonly body?: unknown;
}

/** @throws Error for any answer but a good one */
// oxlint-disable-next-line typescript/no-explicit-any -- bodies are what the test looks into
async function send(operation: string, { path, key = OPERATOR_KEY, body }: Sent = {}): Promise<any> {
  const [method, template] = operation.split(' ') as [string, string];
  const request = `walk-${asked.size}`;
  asked.set(request, { operation, kind: key === OPERATOR_KEY ? 'operator' : 'account' });
  const response = await fetch(product.url + (path ?? template), {
    method: method.toUpperCase(),
    headers: {
      ...FROM,
      'x-request-id': request,
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation} (${path}): ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const nameOf = ({ method, path }: Pick<Request, 'method' | 'path'>): string => `${method} ${path}`;

const IS_SITES = /^\/(v1\/(sites|keys)|v1\/merchant$|v1\/merchant\/invitations|admin\/v1\/merchants$)/;

it('sites, keys, links, definitions, merchants: by the requests that are documented', async () => {
  const requests = requestsOf(document).filter(
    (request) =>
      request.method !== 'get' &&
      IS_SITES.test(request.path) &&
      !asks(request) &&
      nameOf(request) !== 'delete /v1/merchant' &&
      LEAVE_NO_EVENT[nameOf(request)] === undefined,
  );
  const ordered = inOrder(requests);
  const others = ordered.filter(({ method }) => method !== 'delete');
  const taken = ordered.filter(({ method }) => method === 'delete');
  for (const request of [...others, ...taken.toReversed()]) {
    const [body] = bodiesOf(request.operation, document);
    const path = made.inText(urlOf(request, made.at(request)));
    const answer = await send(nameOf(request), { path, body: changedBy(request, made.inBody(body)) });
    if (request.method === 'post') made.remember(answer as { readonly id?: string }, request);
  }
}, 120_000);

/** What is documented of a change may be what there is by then. */
function changedBy({ method }: Request, body: unknown): unknown {
  if (method !== 'patch') return body;
  const { name, text, ...rest } = body as Readonly<Record<string, string>>;
  return text === undefined
    ? { ...rest, name: `${name ?? 'Renamed'} again` }
    : { ...rest, text: `${text} again` };
}

it('accounts and members', async () => {
  const enter = async (email: string, password = PASSWORD): Promise<string> =>
    (await send('post /v1/auth/login', { key: null, body: { email, password } })).access_token;
  const [kim, jo] = ['kim@shop.example', 'jo@shop.example'];
  for (const email of [kim, jo])
    await send('post /v1/auth/register', { key: null, body: { email, password: PASSWORD } });
  const token = await mailedTokenOf(product, kim, 'Confirm your e-mail address');
  await send('post /v1/auth/verify', { key: null, body: { token } });
  const key = await enter(kim);
  await send('patch /v1/me', { key, body: { name: 'Kim' } });

  const invitation = { email: jo, role: 'viewer' };
  await send('post /v1/merchant/invitations', { key, body: invitation });
  const invited = await mailedTokenOf(product, jo, 'You are invited to');
  await send('post /v1/invitations/accept', { key: await enter(jo), body: { token: invited } });
  const { members } = await fetch(`${product.url}/v1/merchant/members`, {
    headers: { authorization: `Bearer ${key}` },
  }).then((answer) => answer.json() as Promise<{ members: { person: string; role: string }[] }>);
  const { person } = members.find(({ role }) => role === 'viewer')!;
  const path = `/v1/merchant/members/${person}`;
  await send('patch /v1/merchant/members/{person}', { path, key, body: { role: 'editor' } });
  await send('delete /v1/merchant/members/{person}', { path, key });

  const enrolled = await send('post /v1/me/totp', { key, body: { password: PASSWORD } });
  const code = codeOf(secretOf(enrolled.secret), stepAt(Date.now()));
  const { recoveryCodes } = await send('post /v1/me/totp/confirm', {
    ...{ key, body: { enrolment: enrolled.enrolment, code } },
  });
  await send('post /v1/me/totp/disable', { key, body: { password: PASSWORD, code: recoveryCodes[0] } });
  const change = { oldPassword: PASSWORD, newPassword: FRESH };
  await send('put /v1/me/password', { key, body: change });
  await send('post /v1/auth/password/forgot', { key: null, body: { email: kim } });
  const reset = await mailedTokenOf(product, kim, 'Choose a new password');
  await send('post /v1/auth/password/reset', { key: null, body: { token: reset, password: PASSWORD } });

  const here = await enter(kim);
  await enter(kim);
  const { sessions } = await fetch(`${product.url}/v1/me/sessions`, {
    headers: { authorization: `Bearer ${here}` },
  }).then((answer) => answer.json() as Promise<{ sessions: { id: string; current: boolean }[] }>);
  const { id } = sessions.find(({ current }) => !current)!;
  await send('delete /v1/me/sessions/{id}', { path: `/v1/me/sessions/${id}`, key: here });
  await send('post /v1/auth/logout', { key: here, body: {} });

  const leaving = await enter(kim);
  const { id: own } = await said('/v1/merchant', leaving);
  await send('delete /v1/merchant', { key: leaving, body: { confirm: own, password: PASSWORD } });
  await send('delete /v1/me', { key: await enter(kim), body: { password: PASSWORD } });

  const { id: other } = await said('/v1/merchant', await enter(jo));
  await send('delete /admin/v1/merchants/{id}', {
    ...{ path: `/admin/v1/merchants/${other}`, body: { confirm: other } },
  });
  const { person: account } = await send('post /admin/v1/people/lookup', { body: { email: jo } });
  await send('delete /admin/v1/people/{id}', { path: `/admin/v1/people/${account.id}` });
}, 120_000);

async function said(path: string, key: string): Promise<{ readonly id: string }> {
  const headers = { authorization: `Bearer ${key}` };
  return (await fetch(product.url + path, { headers })).json() as Promise<{ readonly id: string }>;
}

const secretOf = (base32: string): Buffer =>
  Buffer.from(
    [...base32]
      .map((character) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'))
      .join('')
      .match(/.{8}/g)!
      .map((byte) => Number.parseInt(byte, 2)),
  );

it('what operators do to quotas, versions, rebuilds and dead letters', async () => {
  const quota = { eventsPerMonth: 1_000_000 };
  await send('put /admin/v1/merchants/{id}/quota', {
    ...{ path: '/admin/v1/merchants/default/quota', body: quota },
  });
  await send('post /admin/v1/merchants/{id}/quota/reveal', {
    ...{ path: '/admin/v1/merchants/default/quota/reveal', body: { month: '2026-11' } },
  });
  await send('delete /admin/v1/merchants/{id}/quota', { path: '/admin/v1/merchants/default/quota' });
  const rebuild = (): Promise<RebuildSaid> =>
    send('post /admin/v1/projections/{name}/rebuilds', {
      ...{ path: '/admin/v1/projections/sessions/rebuilds', body: {} },
    });
  const { id } = await rebuild();
  for (const control of ['pause', 'resume', 'cancel']) {
    await send(`post /admin/v1/rebuilds/{id}/${control}`, { path: `/admin/v1/rebuilds/${id}/${control}` });
  }
  const second = await rebuild();
  expect((await product.rebuildEnded(second.id)).state).toBe('caught_up');
  const sessions = '/admin/v1/projections/sessions';
  await send('post /admin/v1/projections/{name}/promote', {
    ...{ path: `${sessions}/promote`, body: { version: second.version } },
  });
  await send('post /admin/v1/projections/{name}/rollback', { path: `${sessions}/rollback`, body: {} });
  const path = `${sessions}/versions/${second.version}`;
  await send('delete /admin/v1/projections/{name}/versions/{version}', { path });
  for (const letter of ['replayed', 'deleted']) {
    await product.postgres.pool.query(
      `INSERT INTO dead_letters (id, projection, version, partition, position, event_id, site, event, error)
        VALUES ($1, 'sessions', 1, 0, $1, 'e', 's1', '{}', 'a bug')`,
      [letter],
    );
  }
  await send('post /admin/v1/dead-letters/{id}/replay', { path: '/admin/v1/dead-letters/replayed/replay' });
  await send('delete /admin/v1/dead-letters/{id}', { path: '/admin/v1/dead-letters/deleted' });
}, 120_000);

interface Entry {
  readonly at: string;
  readonly by: string;
  readonly kind: string;
  readonly request: string;
  readonly country: string;
  readonly client: string;
  readonly type: string;
  readonly stream: string;
}

async function trail(): Promise<readonly Entry[]> {
  const text = await (await product.call('GET', '/admin/v1/audit/export')).text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry);
}

it('are all in the trail, with who, what, when and from where', async () => {
  const entries = await trail();
  const findings: string[] = [];
  for (const [request, { operation, kind: expected }] of asked) {
    const found = entries.filter((entry) => entry.request === request);
    if (found.length === 0 && LEAVE_NO_EVENT[operation] === undefined) findings.push(`${operation}: nothing`);
    for (const entry of found) {
      const { kind, by, country, client, at } = entry;
      const isWhole =
        by !== '' && country === 'NL' && client === 'Firefox on Linux' && !Number.isNaN(Date.parse(at));
      if (!isWhole || kind !== expected) findings.push(`${operation}: ${JSON.stringify(entry)}`);
    }
  }
  expect(findings).toEqual([]);
  expect(asked.size).toBeGreaterThan(55);
});

it('and there is no other operation that changes something', () => {
  const walked = new Set([...asked.values()].map(({ operation }) => operation));
  const missed = requestsOf(document)
    .filter((request) => request.method !== 'get' && !asks(request) && !isIntake(request))
    .map(nameOf)
    .filter((name) => !walked.has(name) && LEAVE_NO_EVENT[name] === undefined);
  expect(missed).toEqual([]);
});

it('nothing is in the trail of which nobody says who did it', async () => {
  const anonymous = (await trail()).filter(({ by, kind }) => by === null || kind === null);
  expect(anonymous.map(({ type, stream }) => `${type} ${stream}`)).toEqual([]);
});

it('holds no address, password, token or key', async () => {
  const text = JSON.stringify(await trail());
  for (const secret of ['193.0.6', PASSWORD, FRESH, OPERATOR_KEY, 'digest', 'tm_']) {
    if (secret === 'tm_') expect(text).not.toMatch(/tm_\w{20}/);
    else expect(text).not.toContain(secret);
  }
});
