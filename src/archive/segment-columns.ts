// The one schema of archived events (docs/reference/archive.md): which columns there are, and how an event
// is taken apart into them and put together again. What the columns cannot say exactly (a half surrogate
// pair, a field that this version does not know) is kept beside them as the event's JSON, so that every
// event comes back as the log held it.
import type { SchemaElement } from 'hyparquet';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from '../events/tracked-event.js';
import { upcast } from '../events/upcasters.js';
import type { Partition, Position } from '../tracking-log/tracking-log.js';

/** Rises when a column changes its meaning or goes away; readers refuse a higher one. */
export const SEGMENT_FORMAT = 1;

/** Of a column of 32 bits. */
const INT_MAX = 2_147_483_647;

type Type = 'text' | 'int' | 'time' | 'flag';

interface Column {
  readonly name: string;
  readonly type: Type;
  /** Never null. */
  readonly required?: true;
}

type Key = keyof TrackedEvent;
type Scalar = Exclude<Key, 'place' | 'clientHints' | 'props' | 'revenue'>;

/** Where each plain field of an event is kept. */
const SCALARS: Readonly<Record<Scalar, Column>> = {
  id: { name: 'id', type: 'text', required: true },
  site: { name: 'site', type: 'text', required: true },
  name: { name: 'name', type: 'text', required: true },
  occurredAt: { name: 'occurred_at', type: 'time', required: true },
  receivedAt: { name: 'received_at', type: 'time', required: true },
  timeReplaced: { name: 'time_replaced', type: 'flag' },
  visitor: { name: 'visitor', type: 'text', required: true },
  previousVisitor: { name: 'previous_visitor', type: 'text' },
  visitorGiven: { name: 'visitor_given', type: 'flag' },
  userId: { name: 'user_id', type: 'text' },
  url: { name: 'url', type: 'text' },
  referrer: { name: 'referrer', type: 'text' },
  title: { name: 'title', type: 'text' },
  userAgent: { name: 'user_agent', type: 'text' },
  language: { name: 'language', type: 'text' },
  screen: { name: 'screen', type: 'text' },
  interactive: { name: 'interactive', type: 'flag' },
  engagementMs: { name: 'engagement_ms', type: 'int' },
  scrollDepth: { name: 'scroll_depth', type: 'int' },
};

/** Fields of fields, each in a column of its own. */
const NESTED = {
  place: { country: 'country', region: 'region', city: 'city', database: 'place_database' },
  clientHints: {
    brands: 'hint_brands',
    fullVersions: 'hint_full_versions',
    platform: 'hint_platform',
    platformVersion: 'hint_platform_version',
    mobile: 'hint_mobile',
    model: 'hint_model',
  },
  revenue: { amount: 'revenue_amount', currency: 'revenue_currency' },
} as const;

/** The row's place in the log. */
const PLACE_IN_LOG: readonly Column[] = [
  { name: 'partition', type: 'int', required: true },
  { name: 'position', type: 'text', required: true },
  { name: 'index', type: 'int', required: true },
  { name: 'appended_at', type: 'time', required: true },
  { name: 'schema', type: 'int', required: true },
];

export const COLUMNS: readonly Column[] = [
  ...PLACE_IN_LOG,
  ...Object.values(SCALARS),
  ...Object.values(NESTED).flatMap((fields) =>
    Object.values(fields).map((name): Column => ({ name, type: 'text' })),
  ),
  { name: 'props', type: 'text' },
  { name: 'json', type: 'text' },
];

const ELEMENTS: Readonly<Record<Type, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  int: { type: 'INT32' },
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  flag: { type: 'BOOLEAN' },
};

/** As Parquet says it. */
export const PARQUET_SCHEMA: SchemaElement[] = [
  { name: 'tracked_events', num_children: COLUMNS.length },
  ...COLUMNS.map(({ name, type, required }): SchemaElement => ({
    name,
    ...ELEMENTS[type],
    repetition_type: required ? 'REQUIRED' : 'OPTIONAL',
  })),
];

const SCALAR_ENTRIES = Object.entries(SCALARS) as [Scalar, Column][];
const NESTED_ENTRIES = Object.entries(NESTED).map(
  ([field, columns]) => [field as keyof typeof NESTED, Object.entries(columns)] as const,
);

/** Of one batch. */
export interface RowPlace {
  readonly partition: Partition;
  readonly position: Position;
  readonly appendedAt: number;
}

/** Rows column by column, as the Parquet writer takes them. */
export class RowBuffer {
  rows = 0;
  /** UTF-16 units of text in the rows. */
  textLength = 0;
  readonly #columns = new Map<string, { readonly values: unknown[]; readonly filler: unknown }>(
    COLUMNS.map((column) => [column.name, { values: [], filler: fillerOf(column) }]),
  );

  add(event: TrackedEvent, index: number, place: RowPlace): void {
    this.#put('partition', place.partition);
    this.#put('position', place.position);
    this.#put('index', index);
    this.#put('appended_at', BigInt(place.appendedAt));
    this.#put('schema', TRACKED_EVENT_SCHEMA);
    if (!this.#putFields(event)) this.#putText('json', JSON.stringify(event));
    this.rows++;
  }

  /** Of one column, null where a row has none; undefined when no row has one. */
  valuesOf({ name, required }: Column): unknown[] | undefined {
    const { values, filler } = this.#columns.get(name)!;
    if (values.length === 0 && !required) return undefined;
    while (values.length < this.rows) values.push(filler);
    return values;
  }

  /** False: the columns do not say the event exactly. */
  #putFields(event: TrackedEvent): boolean {
    let isExact = true;
    let told = 0;
    for (const [field, column] of SCALAR_ENTRIES) {
      const value: unknown = event[field];
      if (value === undefined) {
        if (column.required) isExact = false;
        continue;
      }
      told++;
      if (!this.#putScalar(column, value)) isExact = false;
    }
    for (const [field, columns] of NESTED_ENTRIES) {
      const value: unknown = event[field];
      if (value === undefined) continue;
      told++;
      if (!this.#putNested(columns, value)) isExact = false;
    }
    if (event.props !== undefined) {
      told++;
      this.#putText('props', JSON.stringify(event.props));
    }
    return isExact && told === fieldsOf(event);
  }

  #putScalar({ name, type }: Column, value: unknown): boolean {
    switch (type) {
      case 'text':
        return this.#putText(name, value);
      case 'time':
        if (!Number.isSafeInteger(value)) return false;
        this.#put(name, BigInt(value as number));
        return true;
      case 'int':
        if (!Number.isInteger(value) || Math.abs(value as number) > INT_MAX) return false;
        this.#put(name, value);
        return true;
      case 'flag':
        if (typeof value !== 'boolean') return false;
        this.#put(name, value);
        return true;
    }
  }

  #putNested(columns: readonly (readonly [string, string])[], value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    let told = 0;
    for (const [field, column] of columns) {
      const text: unknown = (value as Record<string, unknown>)[field];
      if (text === undefined) continue;
      if (!this.#putText(column, text)) return false;
      told++;
    }
    return told > 0 && told === fieldsOf(value);
  }

  #putText(column: string, value: unknown): boolean {
    if (typeof value !== 'string' || !value.isWellFormed()) return false;
    this.textLength += value.length;
    this.#put(column, value);
    return true;
  }

  #put(column: string, value: unknown): void {
    const { values, filler } = this.#columns.get(column)!;
    while (values.length < this.rows) values.push(filler);
    values.push(value);
  }
}

/** What a reader of whole batches need not read: it knows the one, and finds the rows in the order of the other. */
export const COLUMNS_UNREAD: ReadonlySet<string> = new Set(['partition', 'index']);

/** Rows as the Parquet reader gives them; of a column that is null throughout, nothing. */
export class RowColumns {
  constructor(
    readonly rows: number,
    private readonly values: ReadonlyMap<string, ArrayLike<unknown>>,
  ) {}

  /** @throws Error when the column is absent */
  required<T>(column: string): ArrayLike<T> {
    const values = this.values.get(column);
    if (values === undefined) throw new Error(`The segment has no column ${column}`);
    return values as ArrayLike<T>;
  }

  /** @throws UnknownEventSchemaError when a newer version wrote them. */
  events(): TrackedEvent[] {
    const events = this.#columnsTogether();
    const schemas = this.required<number>('schema');
    const json = this.values.get('json') as ArrayLike<string | null> | undefined;
    for (let row = 0; row < this.rows; row++) {
      const text = json?.[row];
      const raw: unknown = typeof text === 'string' ? JSON.parse(text) : events[row];
      events[row] = upcast(schemas[row]!, raw);
    }
    return events;
  }

  #columnsTogether(): TrackedEvent[] {
    const [ids, sites, names] = [
      this.required<string>('id'),
      this.required<string>('site'),
      this.required<string>('name'),
    ];
    const occurredAts = this.required<number>('occurred_at');
    const receivedAts = this.required<number>('received_at');
    const visitors = this.required<string>('visitor');
    const events: TrackedEvent[] = [];
    for (let row = 0; row < this.rows; row++) {
      events.push({
        id: ids[row]!,
        site: sites[row]!,
        name: names[row]!,
        occurredAt: occurredAts[row]!,
        receivedAt: receivedAts[row]!,
        visitor: visitors[row]!,
      });
    }
    const open = events as unknown as Record<string, unknown>[];
    for (const [field, { name, required }] of SCALAR_ENTRIES) {
      if (!required) this.#spread(name, (row, value) => (open[row]![field] = value));
    }
    for (const [field, columns] of NESTED_ENTRIES) {
      for (const [inner, column] of columns) {
        this.#spread(column, (row, value) => {
          ((open[row]![field] ??= {}) as Record<string, unknown>)[inner] = value;
        });
      }
    }
    this.#spread('props', (row, text) => (open[row]!['props'] = JSON.parse(text as string)));
    return events;
  }

  /** Every value that there is. */
  #spread(column: string, put: (row: number, value: unknown) => void): void {
    const values = this.values.get(column);
    if (values === undefined) return;
    for (let row = 0; row < this.rows; row++) {
      const value = values[row];
      if (value !== null && value !== undefined) put(row, value);
    }
  }
}

/** Where a required value is missing, the whole event is kept as text, and this is not looked at. */
function fillerOf({ type, required }: Column): unknown {
  if (!required) return null;
  return type === 'text' ? '' : 0n;
}

function fieldsOf(value: object): number {
  let fields = 0;
  for (const key in value) if ((value as Record<string, unknown>)[key] !== undefined) fields++;
  return fields;
}
