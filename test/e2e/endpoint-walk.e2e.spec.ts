// Every operation of the OpenAPI document, as it is called by those who may not: without a key, with a made-up
// one, with each scope that is not enough, for a site of another merchant, for a sibling of the key's own site,
// and for things of another site. Paths, parameters and bodies come from the document, so that an endpoint that
// is added is walked, too. What is not yours answers in the same bytes as what does not exist.
import {
  bodiesOf,
  inOrder,
  MadeIds,
  nameOf,
  type OpenApi,
  type Operation,
  type Request,
  requestsOf,
  urlOf,
} from './documented-requests.js';
import { anotherMerchant } from './another-merchant.js';
import { OperatedProduct, OPERATOR_KEY } from './operated-product.js';

/** Pages of visitors load the tracker and send events, which the site's own rules decide about: pages.int.spec.ts. */
const OF_PAGES = ['/v1/events', '/v1/pixel.gif', '/t.js', '/t.core.js'];
/** So do the clients of other vendors, whose formats answer in words of their own: vendor-intake.int.spec.ts. */
const isIntake = ({ path, operation }: Request): boolean =>
  OF_PAGES.includes(path) || operation.tags?.includes("Other vendors' clients") === true;
/** By design, whoever asks: who is not signed in yet, who checks what we signed, and who has the token of a link. */
const OPEN = [
  ...['register', 'verify', 'verification', 'login', 'refresh', 'password/forgot', 'password/reset'].map(
    (what) => `/v1/auth/${what}`,
  ),
  '/.well-known/jwks.json',
  '/v1/shared/{token}',
  '/v1/shared/{token}/session',
];
/** In another vendor's words: one refusal of whoever has a key, whatever the reason. */
const DIALECTS: readonly (readonly [path: RegExp, refusal: number])[] = [
  [/^\/v1beta\//, 403],
  [/^\/api\/v[12]\//, 401],
];
const SCOPES = ['ingest', 'ingest:server', 'stats:read', 'sites:admin'] as const;
/** What a key for all sites may by another scope. */
const IMPLIED_BY: Readonly<Record<string, readonly string[]>> = {
  ingest: ['ingest:server'],
  'definitions:write': ['sites:admin'],
  'members:admin': ['sites:admin'],
  'stats:view': ['stats:read'],
};
const OF_ALL_SITES = ['ingest:server', 'stats:read', 'sites:admin'];
const VICTIM = 'shop.example';
const ABSENT = { site: 'absent.example', site_id: 'absent.example', property: 'absent.example' };
const ABSENT_ID = 'k7Gk2mQx9RtZ';
const EVIL = 'https://evil.example';

let product: OperatedProduct;
let document: OpenApi;
/** But for those that are open. */
let requests: readonly Request[];
let open: readonly Request[];
const made = new MadeIds();
/** Of the operator's merchant, for all of its sites, by scopes. */
const strangers = new Map<string, string>();
let stranger: string;
/** Of the victim's merchant, for the site beside. */
let sibling: string;
/** Whatever tells the victim's things: may be in no answer to somebody else. */
const secrets: string[] = [];

beforeAll(async () => {
  product = await OperatedProduct.start({
    KEY_REQUESTS_PER_MINUTE_MAX: '1000000',
    REFUSED_KEYS_PER_MINUTE_MAX: '1000000',
    LOG_LEVEL: 'info',
  });
  document = await product.said('GET', '/docs-json');
  const all = inOrder(requestsOf(document)).filter((request) => !isIntake(request));
  requests = all.filter(({ path }) => !OPEN.includes(path));
  open = all.filter(({ path }) => OPEN.includes(path));
  const [victimsSite, beside] = await anotherMerchant(product, 'another', [VICTIM, 'beside.example']);
  secrets.push(victimsSite!);
  await fill();
  await product.said('POST', '/v1/sites', { domain: 'mine.example' });
  const keyFor = async (owner: string, scopes: readonly string[]) =>
    (await product.said<{ key: string }>('POST', `${owner}/keys`, { name: 'k', scopes })).key;
  for (const scope of SCOPES) {
    // A key for all sites may not stand in pages.
    strangers.set(scope, await keyFor(scope === 'ingest' ? '/v1/sites/mine.example' : '/v1', [scope]));
  }
  stranger = await keyFor('/v1', OF_ALL_SITES);
  sibling = await keyFor(`/v1/sites/${beside}`, SCOPES);
}, 180_000);
afterAll(() => product?.stop());

/** The victim's site gets one of everything that the document makes. */
async function fill(): Promise<void> {
  const makes = requests.filter(
    ({ method, path }) => method === 'post' && path.startsWith('/v1/sites/{site}/'),
  );
  for (const request of makes) {
    const [body] = bodiesOf(request.operation, document);
    const answer = await product.call('POST', made.inText(urlOf(request)), made.inBody(body));
    if (answer.status !== 201 && answer.status !== 202) continue;
    const { id } = (await answer.json()) as { readonly id?: string };
    made.remember({ ...(id !== undefined && { id }) }, request);
    if (id !== undefined) secrets.push(id);
  }
}

interface Sent {
  readonly key: string | null;
  /** In place of what the document names in path and query; null: left out. */
  readonly given?: Readonly<Record<string, string | null>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly search?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function send(request: Request, { key, given, headers = {}, search = '' }: Sent): Promise<Answer> {
  const [example] = bodiesOf(request.operation, document);
  let body = made.inBody(example);
  // Dialects that name the site in the body.
  if (given?.site_id && body !== undefined) body = { ...(body as object), ...inBody(body, given) };
  const url = made.inText(urlOf(request, { ...made.at(request), ...given }));
  const response = await fetch(`${product.url}${url}${search && (url.includes('?') ? '&' : '?')}${search}`, {
    method: request.method.toUpperCase(),
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const inBody = (body: unknown, { site_id }: Readonly<Record<string, string | null>>): object =>
  typeof body === 'object' && body !== null && 'site_id' in body ? { site_id } : {};

/** What differs between any two answers. */
const withoutRequest = (text: string): string =>
  text.replaceAll(/"(?:instance|requestId|request_id)":"[^"]*"/g, '');

const refusalOf = ({ path }: Request): number | undefined =>
  DIALECTS.find(([paths]) => paths.test(path))?.[1];

/** Operations and what was wrong with their answers. */
async function findings(
  of: readonly Request[],
  check: (request: Request) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const request of of) {
    const finding = await check(request);
    if (finding !== undefined) found.push(`${nameOf(request)}: ${finding}`);
  }
  return found;
}

/** As expected, and documented. */
function refused(request: Request, { status, text }: Answer, expected: number): string | undefined {
  if (status !== expected) return `${status} in place of ${expected}: ${text.slice(0, 200)}`;
  if (request.operation.responses[expected] === undefined) return `${expected} is not documented`;
  return undefined;
}

const isOfSite = ({ path }: Request): boolean =>
  path.includes('{site}') || path.includes('{property}') || path.startsWith('/api/');

it('says of every operation which scopes it needs or whom else it admits, and which are open', () => {
  const silent = requests.filter(
    ({ operation }) => operation['x-scopes'] === undefined && operation['x-admits'] === undefined,
  );
  expect(silent.map(nameOf)).toEqual([]);
  const saidToBeOpen = [...requests, ...open].filter(({ operation }) => operation.security?.length === 0);
  expect(saidToBeOpen.map(({ path }) => path).sort()).toEqual([...OPEN].sort());
  expect(requests.length).toBeGreaterThan(60);
});

it.each<[string, Sent]>([
  ['no key', { key: null }],
  ['a made-up key', { key: 'tm_madeUpMadeUpMadeUpMadeUpMadeUp' }],
  ['a token that nobody signed', { key: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJwZXJzb24tMSJ9.' }],
  ['a valid key in the query string only', { key: null, search: 'as a parameter' }],
])('%s: 401', async (_, sent) => {
  const search =
    sent.search && new URLSearchParams({ key: stranger, access_token: stranger, api_key: stranger });
  const found = await findings(requests, async (request) => {
    return refused(request, await send(request, { ...sent, search: String(search ?? '') }), 401);
  });
  expect(found).toEqual([]);
});

it.each(SCOPES)('a key with no scope but %s: refused where that is not enough', async (scope) => {
  const found = await findings(requests, async (request) => {
    if (isEnough(scope, request.operation)) return undefined;
    return refused(request, await send(request, { key: strangers.get(scope)! }), refusalOf(request) ?? 403);
  });
  expect(found).toEqual([]);
});

function isEnough(scope: string, { 'x-scopes': needed, 'x-admits': admits }: Operation): boolean {
  if (needed === undefined) return admits === 'anybody';
  return needed.some((one) => one === scope || IMPLIED_BY[one]?.includes(scope));
}

it('whoever came by a shared link: refused but where numbers are seen, and there by other sites', async () => {
  const { token } = await product.said<{ token: string }>('POST', '/v1/sites/mine.example/shared-links', {
    name: 'a link',
  });
  const begun = await product.said<{ access_token: string }>('POST', `/v1/shared/${token}/session`, {});
  const key = begun.access_token;
  const found = await findings(requests, async (request) => {
    const views = request.operation['x-scopes']?.includes('stats:view') === true;
    const expected = views ? 404 : (refusalOf(request) ?? 403);
    return refused(request, await send(request, { key }), expected);
  });
  expect(found).toEqual([]);
});

it.each([
  ["another merchant's key with every scope", () => stranger],
  ['the key of a sibling site with every scope', () => sibling],
])('%s: a site is told from one that does not exist by nothing', async (_, key) => {
  const found = await findings(requests.filter(isOfSite), async (request) => {
    const there = await send(request, { key: key(), given: { property: VICTIM } });
    const absent = await send(request, { key: key(), given: ABSENT });
    if (withoutRequest(there.text) !== withoutRequest(absent.text))
      return `${there.text} is not ${absent.text}`;
    return refused(request, there, refusalOf(request) ?? 404) ?? refused(request, absent, there.status);
  });
  expect(found).toEqual([]);
});

it("another's thing, asked for under a site or merchant of one's own, is told from an absent one by nothing", async () => {
  const ofThings = requests.filter(
    ({ path, operation }) =>
      path.includes('{id}') &&
      operation['x-scopes'] !== undefined &&
      !operation['x-scopes'].includes('operator'),
  );
  expect(ofThings.length).toBeGreaterThan(10);
  // Only the operator names a merchant.
  const given = { site: 'mine.example', merchant: null };
  const found = await findings(ofThings, async (request) => {
    const theirs = await send(request, { key: stranger, given });
    const absent = await send(request, { key: stranger, given: { ...given, id: ABSENT_ID } });
    if (withoutRequest(theirs.text) !== withoutRequest(absent.text))
      return `${theirs.text} is not ${absent.text}`;
    return refused(request, theirs, 404);
  });
  expect(found).toEqual([]);
});

it("what is listed without naming a site holds nothing of another's", async () => {
  const lists = requests.filter((request) => request.method === 'get' && !isOfSite(request));
  const found = await findings(lists, async (request) => {
    const { text } = await send(request, { key: stranger });
    return secrets.find((secret) => text.includes(secret));
  });
  expect(found).toEqual([]);
});

it("operators' endpoints: nobody else, not by another method, not from a page", async () => {
  const operators = requests.filter(({ operation }) => operation['x-scopes']?.includes('operator'));
  expect(operators.length).toBeGreaterThan(10);
  const found = await findings(operators, async (request) => {
    const fromPage = { origin: EVIL, 'sec-fetch-site': 'cross-site', cookie: `key=${OPERATOR_KEY}` };
    return (
      refused(request, await send(request, { key: stranger }), 403) ??
      refused(request, await send(request, { key: null, headers: fromPage }), 401)
    );
  });
  expect(found).toEqual([]);
  for (const path of ['/rebuilds', '/promote', '/rollback']) {
    expect((await product.call('GET', `/admin/v1/projections/sessions${path}`)).status).toBe(405);
  }
});

it("members' endpoints: not whoever has the key of one site", async () => {
  const ofMembers = requests.filter(({ operation }) => operation['x-scopes']?.join() === 'members:admin');
  expect(ofMembers.length).toBeGreaterThan(4);
  const found = await findings(ofMembers, async (request) =>
    refused(request, await send(request, { key: sibling, given: { merchant: null } }), 403),
  );
  expect(found).toEqual([]);
});

it('no answer lets pages of other origins read it', async () => {
  const found = await findings([...requests, ...open], async (request) => {
    const { headers } = await send(request, { key: stranger, headers: { origin: EVIL } });
    const allowed = ['access-control-allow-origin', 'access-control-allow-credentials'];
    return allowed.find((name) => headers.has(name));
  });
  expect(found).toEqual([]);
});

it("leaves the victim's things as they were", async () => {
  const gets = requests.filter(
    ({ method, path }) => method === 'get' && /^\/v1\/sites\/\{site\}(?:\/\w+)?\/\{id\}$/.test(path),
  );
  const found = await findings(gets, async (request) => {
    const { status } = await send(request, { key: OPERATOR_KEY });
    return status === 200 ? undefined : String(status);
  });
  expect(found).toEqual([]);
});
