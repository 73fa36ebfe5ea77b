// The requests that the OpenAPI document shows: its paths with the examples of their parameters, and its bodies.
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
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
export interface Operation {
  /** One of them is enough. */
  readonly 'x-scopes'?: readonly string[];
  /** In place of scopes. */
  readonly 'x-admits'?: 'anybody' | 'people';
  /** Empty: open. Absent: as everywhere. */
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, Documented>>;
  readonly parameters?: readonly Parameter[];
  readonly tags?: readonly string[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { schema: Schema; examples?: Readonly<Record<string, { readonly value: unknown }>> }>
    >;
  };
}
export interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
export interface Request {
  readonly method: Method;
  readonly path: string;
  readonly operation: Operation;
}

/** The made-up part of every id in the document. */
const EXAMPLE_ID = /\b(g|sg|f|a|j|i|l)7Gk2mQx9RtP\b/g;
/** Of the shared link in the document. */
const EXAMPLE_TOKEN = /\bl7Gk2mQx9RtP\.[\w-]{32}/g;
const EXAMPLE_ID_CHARACTERS = 11;

/** Things before what is asked of them, and before what takes them away: what is part of others last. */
const METHODS: readonly Method[] = ['post', 'get', 'put', 'patch', 'delete'];

export const requestsOf = ({ paths }: OpenApi): readonly Request[] =>
  METHODS.flatMap((method) =>
    Object.entries(paths).flatMap(([path, { [method]: operation }]) =>
      operation === undefined ? [] : [{ method, path, operation }],
    ),
  );

export const nameOf = ({ method, path }: Request): string => `${method.toUpperCase()} ${path}`;

/** Visitors' events: in no event store, in the words of other vendors, and of whoever has a page. */
export const isIntake = ({ operation: { tags = [] } }: Request): boolean =>
  tags.includes('Intake') || tags.includes("Other vendors' clients");

export const asks = ({ path }: Request): boolean => /query$|:run|:batch/i.test(path);

/** What is rotated can be changed less than before. */
const rotates = ({ path }: Request): boolean => path.endsWith('/rotate');

/** The site first. */
export const inOrder = (requests: readonly Request[]): readonly Request[] =>
  requests.toSorted(
    (a, b) =>
      Number(rotates(a)) - Number(rotates(b)) ||
      METHODS.indexOf(a.method) - METHODS.indexOf(b.method) ||
      Number(asks(a)) - Number(asks(b)) ||
      Number(b.path === '/v1/sites') - Number(a.path === '/v1/sites'),
  );

const exampleOf = (parameter: Parameter): unknown => parameter.example ?? parameter.schema.example;

/** @param given in place of the examples of parameters of the path, by name */
export function urlOf(
  { path, operation: { parameters = [] } }: Request,
  /** Null: left out of the query. */
  given: Readonly<Record<string, string | null>> = {},
): string {
  const [inPath, inQuery] = (['path', 'query'] as const).map((place) =>
    parameters.filter((one) => one.in === place && exampleOf(one) !== undefined),
  );
  const filled = inPath!.reduce(
    (url, one) => url.replace(`{${one.name}}`, given[one.name] ?? String(exampleOf(one))),
    path,
  );
  const query = new URLSearchParams(
    inQuery!
      .filter(({ name }) => given[name] !== null)
      .map((one): [string, string] => [one.name, given[one.name] ?? String(exampleOf(one))]),
  ).toString();
  return query === '' ? filled : `${filled}?${query}`;
}

/** The examples, or one that is put together from those of the fields, as Swagger's page does. */
export function bodiesOf({ requestBody }: Operation, { components }: OpenApi): readonly unknown[] {
  if (requestBody === undefined) return [undefined];
  const { schema, examples } = requestBody.content['application/json']!;
  if (examples !== undefined) return Object.values(examples).map(({ value }) => value);
  const { properties = {} } =
    schema.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1)!]!;
  const fields = Object.entries(properties).filter(([, { example }]) => example !== undefined);
  return [Object.fromEntries(fields.map(([name, { example }]) => [name, example]))];
}

/** Of what was made, in place of the ids in the document. */
export class MadeIds {
  /** By the prefix of the id in the document. */
  readonly #made = new Map<string, string>();
  #token: string | undefined;
  /** By the path at which it was made: two of them make keys. */
  readonly #madeAt = new Map<string, string>();

  /** The first of a kind is the one that others name. */
  remember({ id, token }: { readonly id?: string; readonly token?: string }, { path }: Request): void {
    this.#token ??= token;
    if (id === undefined) return; // events have none of ours
    const prefix = id.slice(0, -EXAMPLE_ID_CHARACTERS);
    if (!this.#made.has(prefix)) this.#made.set(prefix, id);
    if (!this.#madeAt.has(path)) this.#madeAt.set(path, id);
  }

  /** What the path names, where it was made under it. */
  at({ path }: Request): { readonly id?: string } {
    const id = this.#madeAt.get(path.split('/{id}', 1)[0]!);
    return id === undefined ? {} : { id };
  }

  inText(text: string): string {
    const withToken = text.replaceAll(EXAMPLE_TOKEN, (token) => this.#token ?? token);
    return withToken.replaceAll(EXAMPLE_ID, (id, prefix: string) => this.#made.get(prefix) ?? id);
  }

  inBody(body: unknown): unknown {
    return body === undefined ? undefined : JSON.parse(this.inText(JSON.stringify(body)));
  }
}
