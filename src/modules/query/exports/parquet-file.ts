// Rows as Parquet: row groups leave as they are finished, and only their places in the file stay in memory,
// for its end. Whoever takes the job over does not have them, so a Parquet file is begun anew then.
import { gzipSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { resultTooLarge } from '../jobs/result-writer.js';
import { type ExportColumns, parquetSchemaOf, parquetValue } from './export-columns.js';
import type { ExportFile } from './export-file.js';

const ROW_GROUP_TEXT_MAX = 4_194_304;
const GZIP_LEVEL = 3;

export interface ParquetLimits {
  /** What one turn keeps the process from other work by, and what readers hold at a time. */
  readonly rowGroupRows: number;
  /** Their places stay in memory: some ten kilobytes each. */
  readonly rowGroups: number;
}

const LIMITS: ParquetLimits = { rowGroupRows: 4_096, rowGroups: 4_000 };

/** Gives away what has been written, and keeps on counting. */
class PassingBytes extends ByteWriter {
  take(): Buffer {
    const bytes = Buffer.from(this.getBytes());
    this.index = 0;
    return bytes;
  }
}

export class ParquetFile<Row> implements ExportFile<Row> {
  readonly contentType = 'application/vnd.apache.parquet';
  readonly canBeContinued = false;
  readonly #bytes = new PassingBytes(1_048_576);
  readonly #parquet: ParquetWriter;
  #values: unknown[][];
  #rows = 0;
  #text = 0;

  constructor(
    name: string,
    private readonly columns: ExportColumns<Row>,
    private readonly limits = LIMITS,
  ) {
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: parquetSchemaOf(name, columns),
      codec: 'GZIP',
      compressors: { GZIP: (page) => gzipSync(page, { level: GZIP_LEVEL }) },
      createdBy: 'tidemark',
    });
    this.#values = Object.keys(columns).map(() => []);
  }

  /** @throws Problem 422 where there are too many rows */
  add(row: Row): void {
    let place = 0;
    for (const { type, of } of Object.values(this.columns)) {
      const value = parquetValue(type, of(row));
      this.#text += textLengthOf(value);
      this.#values[place++]!.push(value);
    }
    if (++this.#rows >= this.limits.rowGroupRows || this.#text >= ROW_GROUP_TEXT_MAX) this.#endRowGroup();
  }

  get pendingBytes(): number {
    return this.#bytes.index;
  }

  take(): Buffer {
    return this.#bytes.take();
  }

  end(): Buffer {
    this.#endRowGroup();
    void this.#parquet.finish();
    return this.take();
  }

  #endRowGroup(): void {
    if (this.#rows === 0) return;
    if (this.#parquet.row_groups.length >= this.limits.rowGroups) {
      throw resultTooLarge(`${this.limits.rowGroups} row groups of Parquet; NDJSON has no such limit`);
    }
    const values = this.#values;
    const columnData = Object.entries(this.columns).map(([name, { type }], place) => ({
      name,
      data: values[place]!,
      offsetIndex: false,
      statistics: type === 'time',
      ...(type === 'time' ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}),
    }));
    void this.#parquet.write({ columnData, rowGroupSize: this.#rows });
    this.#values = values.map(() => []);
    this.#rows = 0;
    this.#text = 0;
  }
}

/** Of texts, and of properties, which are one level deep. */
function textLengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let length = 0;
  for (const [name, inner] of Object.entries(value)) {
    length += name.length + (typeof inner === 'string' ? inner.length : 8);
  }
  return length;
}
