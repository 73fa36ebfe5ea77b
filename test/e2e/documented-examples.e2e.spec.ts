// What /docs shows works when it is pasted: every request of the OpenAPI document, with the examples of its
// path, its query and its body, gets a 2xx from a running product, and the answer has the form that is
// documented, with no field beside it. The examples hang together, so that a reader who makes the site of the
// first one can go on with the others.
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { OperatedProduct } from './operated-product.js';

type Method = 'get' | 'post' | 'patch' | 'delete';
interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly example?: unknown;
  readonly schema: Schema;
}
interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
  readonly parameters?: readonly Parameter[];
  readonly tags?: readonly string[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { schema: Schema; examples?: Readonly<Record<string, { readonly value: unknown }>> }>
    >;
  };
}
interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
interface Request {
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
}

/** What operators do to versions, rebuilds and dead letters needs some that are there: e2e tests of their own. */
const IS_OPERATORS = /^\/admin\/v1\/.*\{/;
/** The made-up part of every id in the document. */
const EXAMPLE_ID = /\b(g|sg|f|a|j)7Gk2mQx9RtP\b/g;
const EXAMPLE_ID_CHARACTERS = 11;
const TRIES_MAX = 100;
const TRY_AGAIN_MS = 200;

let product: OperatedProduct;
let document: OpenApi;
/** Of what was made, by the prefix of its id in the document. */
const made = new Map<string, string>();
/** The same by the path at which it was made: two of them make keys. */
const madeAt = new Map<string, string>();

beforeAll(async () => {
  product = await OperatedProduct.start({});
  document = await product.said('GET', '/docs-json');
}, 180_000);
afterAll(() => product?.stop());

const withRealIds = (text: string): string =>
  text.replaceAll(EXAMPLE_ID, (id, prefix: string) => made.get(prefix) ?? id);

const exampleOf = (parameter: Parameter): unknown => parameter.example ?? parameter.schema.example;

function urlOf({ path, operation: { parameters = [] } }: Request): string {
  const [inPath, inQuery] = (['path', 'query'] as const).map((place) =>
    parameters.filter((one) => one.in === place && exampleOf(one) !== undefined),
  );
  const id = madeAt.get(path.split('/{id}', 1)[0]!);
  const filled = inPath!.reduce(
    (url, one) => url.replace(`{${one.name}}`, String(exampleOf(one))),
    id === undefined ? path : path.replace('{id}', id),
  );
  const query = new URLSearchParams(
    inQuery!.map((one): [string, string] => [one.name, String(exampleOf(one))]),
  ).toString();
  return withRealIds(query === '' ? filled : `${filled}?${query}`);
}

/** The examples, or one that is put together from those of the fields, as Swagger's page does. */
function bodiesOf({ requestBody }: Operation): readonly unknown[] {
  if (requestBody === undefined) return [undefined];
  const { schema, examples } = requestBody.content['application/json']!;
  if (examples !== undefined) return Object.values(examples).map(({ value }) => value);
  const { properties = {} } =
    schema.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1)!]!;
  const fields = Object.entries(properties).filter(([, { example }]) => example !== undefined);
  return [Object.fromEntries(fields.map(([name, { example }]) => [name, example]))];
}

async function refusalsOf(request: Request): Promise<readonly string[]> {
  const refusals: string[] = [];
  for (const body of bodiesOf(request.operation)) {
    const sent = body === undefined ? undefined : (JSON.parse(withRealIds(JSON.stringify(body))) as unknown);
    const response = await finished(() => product.call(request.method.toUpperCase(), urlOf(request), sent));
    const text = await response.text();
    const shown = `${request.method} ${urlOf(request)} ${JSON.stringify(sent)}: ${text}`;
    if (!response.ok) {
      refusals.push(shown);
      continue;
    }
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const isDocumented = isJson ? checkOf(request.operation.responses[response.status]) : undefined;
    if (isDocumented?.(JSON.parse(text)) === false) {
      refusals.push(`${shown} ${JSON.stringify(isDocumented.errors)}`);
    }
    if (response.status === 201 || response.status === 202)
      remember(JSON.parse(text) as { readonly id: string }, request);
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

/** The first of a kind is the one that others name. */
function remember({ id }: { readonly id?: string }, { path }: Request): void {
  if (id === undefined) return; // events have none of ours
  const prefix = id.slice(0, -EXAMPLE_ID_CHARACTERS);
  if (!made.has(prefix)) made.set(prefix, id);
  if (!madeAt.has(path)) madeAt.set(path, id);
}

/** Things before what is asked of them, and before what takes them away: what is part of others last. */
const METHODS: readonly Method[] = ['post', 'get', 'patch', 'delete'];
const requestsOf = (method: Method): readonly Request[] =>
  Object.entries(document.paths).flatMap(([path, { [method]: operation }]) =>
    operation === undefined || IS_OPERATORS.test(path) ? [] : [{ method, path, operation }],
  );
/** What is rotated can be changed less than before. */
const rotates = ({ path }: Request): boolean => path.endsWith('/rotate');
const asks = ({ path }: Request): boolean => /query$|:run|:batch/i.test(path);

it('answers every request that the documentation shows', async () => {
  const requests = METHODS.flatMap(requestsOf).filter(
    // What people do to their accounts takes somebody signed in, and mails: accounts.e2e.spec.ts does it.
    ({ operation }) => operation.tags?.includes('Accounts') !== true,
  );
  const [site, ...rest] = requests.toSorted(
    (a, b) =>
      Number(rotates(a)) - Number(rotates(b)) ||
      METHODS.indexOf(a.method) - METHODS.indexOf(b.method) ||
      Number(asks(a)) - Number(asks(b)) ||
      Number(b.path === '/v1/sites') - Number(a.path === '/v1/sites'),
  );
  expect(site).toMatchObject({ method: 'post', path: '/v1/sites' });
  expect(rest.filter(asks).flatMap(({ operation }) => bodiesOf(operation)).length).toBeGreaterThan(15);
  const taken = rest.filter(({ method }) => method === 'delete');
  const others = rest.filter(({ method }) => method !== 'delete');
  const refusals: string[] = [];
  for (const request of [site!, ...others, ...taken.toReversed()]) {
    refusals.push(...(await refusalsOf(request)));
  }
  expect(refusals).toEqual([]);
});
