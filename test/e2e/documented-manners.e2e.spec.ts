// Manners that the OpenAPI document promises of whole kinds of operations, held against a running product: what
// creates may be sent again, what is changed says which revision it is at, and what is listed comes in pages. The
// operations come from the document, so that one that is added is asked, too, or must be named here with the reason.
import { randomUUID } from 'node:crypto';
import { tokenIn } from '../servers/mail-server.js';
import {
  bodiesOf,
  inOrder,
  isIntake,
  MadeIds,
  nameOf,
  type OpenApi,
  type Request,
  requestsOf,
  urlOf,
} from './documented-requests.js';
import { OPERATOR_KEY } from './operated-product.js';
import { type Answer, OutsideTester } from './outside-tester.js';

/** Why a POST need not take an Idempotency-Key. */
const NOT_REPEATABLE: Readonly<Record<string, string>> = {
  ...reason('asks, and changes nothing; as a job, which is gone after a day, it costs a query more', [
    '/v1/sites/{site}/query',
    '/v1/sites/{site}/funnels/query',
    '/v1/sites/{site}/retention/query',
    '/v1/sites/{site}/journeys/query',
    '/v1beta/properties/{property}:runReport',
    '/v1beta/properties/{property}:batchRunReports',
    '/v1beta/properties/{property}:runRealtimeReport',
    '/api/v2/query',
    '/admin/v1/people/lookup',
  ]),
  ...reason('changes a state, which is so already the second time', [
    '/admin/v1/projections/{name}/promote',
    '/admin/v1/projections/{name}/rollback',
    '/admin/v1/rebuilds/{id}/pause',
    '/admin/v1/rebuilds/{id}/resume',
    '/admin/v1/rebuilds/{id}/cancel',
    '/admin/v1/dead-letters/{id}/replay',
    '/admin/v1/merchants/{id}/quota/reveal',
    '/v1/auth/logout',
    '/v1/auth/verify',
    '/v1/auth/password/reset',
    '/v1/me/totp/disable',
    '/v1/me/totp/confirm',
    '/v1/invitations/accept',
  ]),
  ...reason('an address has one account: registered again, it answers the same', ['/v1/auth/register']),
  ...reason('whoever gets no answer asks again, and what they were not told is never used', [
    '/v1/auth/login',
    '/v1/auth/refresh',
    '/v1/auth/verification',
    '/v1/auth/password/forgot',
    '/v1/me/totp',
    '/v1/shared/{token}/session',
  ]),
};
/** Needs two versions before it looks at a cursor: compare.controller.int.spec.ts. */
const COMPARES = /\/compare$/;
/** What a body says that may be there once only. */
const ONCE_ONLY = ['domain', 'name', 'email'];

let tester: OutsideTester;
let document: OpenApi;
let requests: readonly Request[];
const made = new MadeIds();
/** Of a merchant: somebody who may be removed. */
let member: string;

function reason(why: string, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((path) => [path, why]));
}

beforeAll(async () => {
  tester = await OutsideTester.start({ KEY_REQUESTS_PER_MINUTE_MAX: '1000000' });
  document = await tester.product.said('GET', '/docs-json');
  requests = inOrder(requestsOf(document));
  const guest = await tester.signUp('guest@shop.example');
  const invited = { email: guest.email, role: 'viewer' };
  await operators('POST', '/v1/merchant/invitations', { body: invited });
  const token = tokenIn(await tester.mailTo(guest.email, 'You are invited'));
  await tester.call('POST', '/v1/invitations/accept', { key: guest.key, body: { token } });
  member = guest.person;
}, 180_000);
afterAll(() => tester?.stop());

const operators = (method: string, path: string, sent: Parameters<OutsideTester['call']>[2] = {}) =>
  tester.call(method, path, { ...sent, key: OPERATOR_KEY });

const has = ({ operation: { parameters = [] } }: Request, name: string): boolean =>
  parameters.some((parameter) => parameter.name === name);

const urlFor = (request: Request): string =>
  made.inText(urlOf(request, { ...made.at(request), person: member }));

const bodyFor = (request: Request): unknown => made.inBody(bodiesOf(request.operation, document)[0]);

describe('what creates something', () => {
  it('takes an Idempotency-Key, or is named with the reason why not', () => {
    // Events bring ids of their own, by which a repeat is dropped.
    const posts = requests.filter((request) => request.method === 'post' && !isIntake(request));
    const without = posts.filter((request) => !has(request, 'Idempotency-Key')).map(({ path }) => path);
    expect(without.toSorted()).toEqual(Object.keys(NOT_REPEATABLE).toSorted());
    const others = requests.filter((request) => request.method !== 'post' && has(request, 'Idempotency-Key'));
    expect(others.map(nameOf)).toEqual([]);
  });

  it('does it once, and gives the same answer again', async () => {
    const creating = requests.filter((request) => has(request, 'Idempotency-Key'));
    expect(creating.length).toBeGreaterThan(10);
    const found: string[] = [];
    for (const request of creating) {
      const finding = await repeated(request);
      if (finding !== undefined) found.push(`${nameOf(request)}: ${finding}`);
    }
    expect(found).toEqual([]);
  });
});

async function repeated(request: Request): Promise<string | undefined> {
  const headers = { 'idempotency-key': randomUUID() };
  const send = (body: unknown) => operators('POST', urlFor(request), { body, headers });
  const body = bodyFor(request);
  const first = await send(body);
  if (first.status !== 201 && first.status !== 202) return `${first.status} ${first.text}`;
  const again = await send(body);
  const other = await send({ ...(body as object), ...(await another(request)) });
  made.remember(first.body as { id: string }, request);
  if (again.headers.get('idempotency-replayed') !== 'true') return `${again.status} ${again.text} again`;
  if (again.status !== first.status || again.text !== first.text) return `${first.text}, then ${again.text}`;
  if (again.headers.get('location') !== first.headers.get('location')) return 'it is somewhere else';
  return other.status === 422 ? undefined : `another request under the same key: ${other.text}`;
}

/** What makes it another request. */
async function another({ operation }: Request): Promise<object> {
  const [body = {}] = bodiesOf(operation, document) as [object?];
  const field = ONCE_ONLY.find((name) => name in body);
  return field === undefined ? { other: true } : { [field]: 'another.example' };
}

describe('what may be changed if it is as it was read', () => {
  /** Things that the document makes are there by now; the others are. */
  const changing = (): readonly Request[] => requests.filter((request) => has(request, 'If-Match'));

  it('answers 409 with its present revision otherwise, which is good to go on with', async () => {
    expect(changing().length).toBeGreaterThan(12);
    const found: string[] = [];
    // Whatever is taken away is taken away last, and the site after what is in it.
    const deletes = ({ method, path }: Request): number =>
      method === 'delete' ? 1 + Number(path === '/v1/sites/{site}') : 0;
    for (const request of changing().toSorted((a, b) => deletes(a) - deletes(b))) {
      const finding = await changed(request);
      if (finding !== undefined) found.push(`${nameOf(request)}: ${finding}`);
    }
    expect(found).toEqual([]);
  });

  it.each(['x', '"x"', 'W/"0"', '0', '"0", "1"'])('takes %s for no revision', async (tag) => {
    const found: string[] = [];
    for (const request of changing()) {
      const { status } = await change(request, tag);
      if (status !== 400) found.push(`${nameOf(request)}: ${status}`);
    }
    expect(found).toEqual([]);
  });
});

const change = (request: Request, tag: string): Promise<Answer> =>
  operators(request.method.toUpperCase(), urlFor(request), {
    body: bodyFor(request),
    headers: { 'if-match': tag },
  });

async function changed(request: Request): Promise<string | undefined> {
  if (request.operation.responses['409'] === undefined) return '409 is not documented';
  const stale = await change(request, '"987654"');
  const tag = stale.headers.get('etag');
  if (stale.status !== 409) return `${stale.status} in place of 409: ${stale.text}`;
  if (tag === null || !stale.body.detail.includes('ETag')) return `no ETag: ${stale.text}`;
  const known = await change(request, tag);
  // A conflict that is no matter of revisions: a key that was rotated, a goal that a funnel needs.
  const isOfState = known.status === 409 && known.headers.get('etag') === null;
  return known.status < 300 || isOfState ? undefined : `${known.status} with ${tag}: ${known.text}`;
}

interface Described {
  readonly $ref?: string;
  readonly properties?: object;
}

describe('what is listed', () => {
  const lists = (): readonly Request[] =>
    requests.filter(({ method, operation }) => {
      const schema: Described | undefined = operation.responses['200']?.content?.['application/json']?.schema;
      const named = schema?.$ref && document.components.schemas[schema.$ref.split('/').at(-1)!];
      return method === 'get' && 'next_cursor' in ((named || schema)?.properties ?? {});
    });

  it('comes in pages, and takes for a cursor only what is one', async () => {
    expect(lists().length).toBeGreaterThan(15);
    const me = await tester.signUp('listing@shop.example');
    await tester.call('POST', '/v1/sites', { key: me.key, body: { domain: 'listed.example' } });
    const found: string[] = [];
    for (const request of lists()) {
      const isPeoples = request.operation['x-admits'] === 'people';
      const key = isPeoples ? me.key : OPERATOR_KEY;
      const list = (more: string) => {
        const url = made.inText(
          urlOf(request, { ...made.at(request), site: 'listed.example', a: '1', b: '1' }),
        );
        return tester.call('GET', `${url.split('?')[0]!}?${more}`, { key });
      };
      if (!has(request, 'limit') || !has(request, 'cursor')) found.push(`${nameOf(request)}: no pages`);
      for (const query of ['limit=0', 'limit=1001', 'limit=x', 'cursor=', 'cursor=%00', 'cursor=no+cursor']) {
        const { status } = await list(query);
        if (status !== 400 && !(COMPARES.test(request.path) && status === 409)) {
          found.push(`${nameOf(request)}?${query}: ${status}`);
        }
      }
    }
    expect(found).toEqual([]);
  });
});
