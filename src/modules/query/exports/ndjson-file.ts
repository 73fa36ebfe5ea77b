// Rows as lines of JSON (application/x-ndjson): every line has every column, in the same order.
import { type ColumnType, type ExportColumns, jsonValue } from './export-columns.js';
import type { ExportFile } from './export-file.js';

export class NdjsonFile<Row> implements ExportFile<Row> {
  readonly contentType = 'application/x-ndjson';
  /** A line means the same whatever stands before it. */
  readonly canBeContinued = true;
  readonly #columns: readonly (readonly [string, ColumnType, (row: Row) => ReturnType<typeof jsonValue>])[];
  #lines: string[] = [];
  #length = 0;

  constructor(columns: ExportColumns<Row>) {
    this.#columns = Object.entries(columns).map(([name, { type, of }]) => [name, type, of]);
  }

  add(row: Row): void {
    const line: Record<string, unknown> = {};
    for (const [name, type, of] of this.#columns) line[name] = jsonValue(type, of(row));
    const text = `${JSON.stringify(line)}\n`;
    this.#lines.push(text);
    this.#length += text.length;
  }

  get pendingBytes(): number {
    return this.#length;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#length = 0;
    return bytes;
  }

  end(): Buffer {
    return this.take();
  }
}
