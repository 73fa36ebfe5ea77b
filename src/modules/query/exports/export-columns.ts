// How a column of an export is declared: once, for NDJSON, for Parquet, and for docs/reference/exports.md.
import type { SchemaElement } from 'hyparquet';

/** `time`: epoch milliseconds; `json`: a value that JSON can say. */
export type ColumnType = 'text' | 'integer' | 'time' | 'flag' | 'json';
export type ColumnValue = string | number | boolean | object | null;

export interface ExportColumn<Row> {
  readonly type: ColumnType;
  /** Null where the row has none; such a column is never null without `optional`. */
  readonly optional?: true;
  readonly meaning: string;
  readonly of: (row: Row) => ColumnValue;
}

export type ExportColumns<Row> = Readonly<Record<string, ExportColumn<Row>>>;

const PARQUET: Readonly<Record<ColumnType, Omit<SchemaElement, 'name'>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  integer: { type: 'INT64' },
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  flag: { type: 'BOOLEAN' },
  json: { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } },
};

export function parquetSchemaOf(name: string, columns: ExportColumns<never>): SchemaElement[] {
  const entries = Object.entries(columns);
  return [
    { name, num_children: entries.length },
    ...entries.map(([name, { type, optional }]): SchemaElement => ({
      name,
      ...PARQUET[type],
      repetition_type: optional ? 'OPTIONAL' : 'REQUIRED',
    })),
  ];
}

/** As Parquet's writer takes it. */
export function parquetValue(type: ColumnType, value: ColumnValue): unknown {
  if (value === null) return null;
  return type === 'integer' || type === 'time' ? BigInt(value as number) : value;
}

/** As JSON says it. */
export const jsonValue = (type: ColumnType, value: ColumnValue): ColumnValue =>
  type === 'time' && value !== null ? new Date(value as number).toISOString() : value;

const TYPE_NAMES: Readonly<Record<ColumnType, readonly [ndjson: string, parquet: string]>> = {
  text: ['string', 'string'],
  integer: ['number', 'int64'],
  time: ['string, RFC 3339 in UTC', 'timestamp, ms, UTC'],
  flag: ['boolean', 'boolean'],
  json: ['object', 'string, JSON'],
};

/** The table of the reference. */
export function columnsTable(columns: ExportColumns<never>): string {
  const lines = Object.entries(columns).map(([name, { type, optional, meaning }]) => {
    const [ndjson, parquet] = TYPE_NAMES[type];
    return `| \`${name}\` | ${ndjson}${optional ? ' or null' : ''} | ${parquet} | ${meaning} |`;
  });
  return ['| column | NDJSON | Parquet | |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
