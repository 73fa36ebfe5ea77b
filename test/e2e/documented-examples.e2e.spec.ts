// What /docs shows works when it is pasted: every request of the OpenAPI document, with the examples of its
// path, its query and its body, gets a 2xx from a running product, and the answer has the form that is
// documented, with no field beside it. The examples hang together, so that a reader who makes the site of the
// first one can go on with the others.
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import {
  asks,
  bodiesOf,
  type Documented,
  inOrder,
  MadeIds,
  type OpenApi,
  type Request,
  requestsOf,
  urlOf,
} from './documented-requests.js';
import { OperatedProduct } from './operated-product.js';

/** What operators do to versions, rebuilds and dead letters needs some that are there: e2e tests of their own. */
const IS_OPERATORS = /^\/admin\/v1\/.*\{/;
/** What takes somebody signed in or registered, and mails, as all that is tagged Accounts: accounts.e2e and merchants.int. */
const IS_PEOPLES =
  /^\w+ \/(v1\/merchant\/members\/|v1\/invitations\/accept|admin\/v1\/people\/)|^delete \/v1\/merchant$/;
/** Browsers say for which page they ask for it, and the site of the examples asks. */
const IMAGE = '/v1/pixel.gif';
const TRIES_MAX = 100;
const TRY_AGAIN_MS = 200;

let product: OperatedProduct;
let document: OpenApi;
const made = new MadeIds();

beforeAll(async () => {
  product = await OperatedProduct.start({});
  document = await product.said('GET', '/docs-json');
}, 180_000);
afterAll(() => product?.stop());

async function refusalsOf(request: Request): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (const body of bodiesOf(request.operation, document)) {
    const sent = made.inBody(body);
    const url = made.inText(urlOf(request, made.at(request)));
    const response = await finished(() =>
      request.path === IMAGE
        ? fetch(product.url + url, { headers: { referer: 'https://shop.example/pricing' } })
        : product.call(request.method.toUpperCase(), url, sent),
    );
    const text = await response.text();
    const shown = `${request.method} ${url} ${JSON.stringify(sent)}: ${text}`;
    if (!response.ok) {
      refusals.push(shown);
      continue;
    }
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const isDocumented = isJson ? checkOf(request.operation.responses[response.status]) : undefined;
    if (isDocumented?.(JSON.parse(text)) === false) {
      refusals.push(`${shown} ${JSON.stringify(isDocumented.errors)}`);
    }
    if (isJson && (response.status === 201 || response.status === 202))
      made.remember(JSON.parse(text) as { readonly id?: string }, request);
  }
  return refusals;
}

/** A job's result is there when the job is done. */
async function finished(call: () => Promise<Response>): Promise<Response> {
  for (let tries = 0; ; tries++) {
    const response = await call();
    if (response.status !== 409 || tries === TRIES_MAX) return response;
    await sleep(TRY_AGAIN_MS);
  }
}

/** Undefined where no form of JSON is documented: 204, or text. */
function checkOf(documented: Documented | undefined): ValidateFunction | undefined {
  const schema = documented?.content?.['application/json']?.schema;
  if (schema === undefined) return undefined;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'document', components: closed(document.components) });
  return ajv.compile(
    JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/components', '"document#/components')) as object,
  );
}

/** Objects have the fields that they are said to have, and no others. */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const open = inner.type === 'object' && inner.properties !== undefined;
  return open ? { additionalProperties: false, ...inner } : inner;
}

it('answers every request that the documentation shows', async () => {
  const requests = requestsOf(document).filter(
    ({ method, path, operation }) =>
      !IS_OPERATORS.test(path) &&
      !IS_PEOPLES.test(`${method} ${path}`) &&
      operation.tags?.includes('Accounts') !== true,
  );
  const [site, ...rest] = inOrder(requests);
  expect(site).toMatchObject({ method: 'post', path: '/v1/sites' });
  expect(rest.filter(asks).flatMap(({ operation }) => bodiesOf(operation, document)).length).toBeGreaterThan(
    15,
  );
  const taken = rest.filter(({ method }) => method === 'delete');
  const others = rest.filter(({ method }) => method !== 'delete');
  const refusals: string[] = [];
  for (const request of [site!, ...others, ...taken.toReversed()]) {
    refusals.push(...(await refusalsOf(request)));
  }
  expect(refusals).toEqual([]);
});
