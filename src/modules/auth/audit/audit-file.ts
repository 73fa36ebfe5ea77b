// The audit trail as a file, written while it is sent: a page of entries is in memory, whatever the length of the
// trail, and none is read before the client has taken the one before.
import { csvLine } from '../../../http/csv.js';

export const AUDIT_FORMATS = ['ndjson', 'csv'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<AuditFormat, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
};

const COLUMNS = [
  ...(['entry', 'at', 'by', 'kind', 'email', 'request', 'country', 'client'] as const),
  ...(['stream', 'revision', 'type', 'merchant', 'site', 'data'] as const),
];

type Entry = Readonly<Record<(typeof COLUMNS)[number], string | number | object | null>>;

/** CSV has its header also where there are no entries. */
export async function* fileOf(
  pages: AsyncIterable<readonly Entry[]>,
  format: AuditFormat,
): AsyncGenerator<string, void, undefined> {
  if (format === 'csv') yield csvLine(COLUMNS);
  const lineOf = format === 'csv' ? csvOf : (entry: Entry) => `${JSON.stringify(entry)}\n`;
  for await (const entries of pages) yield entries.map(lineOf).join('');
}

const csvOf = (entry: Entry): string =>
  csvLine(
    COLUMNS.map((column) => {
      const value = entry[column];
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    }),
  );
