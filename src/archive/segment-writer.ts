// Turns batches of one partition into the bytes of one segment. Rows become compressed row groups as they
// come, so that only the last few are held as objects; a row group holds whole batches.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { TRACKED_EVENT_SCHEMA } from '../events/tracked-event.js';
import type { Partition, Position, RecordedBatch } from '../tracking-log/tracking-log.js';
import { objectNameOf, type Segment } from './segment.js';
import { COLUMNS, PARQUET_SCHEMA, RowBuffer, SEGMENT_FORMAT } from './segment-columns.js';

/** What a reader holds as objects at a time, and for how long one turn keeps the process from other work. */
const ROW_GROUP_EVENTS_MAX = 16_384;
const ROW_GROUP_TEXT_MAX = 8_388_608;
/** A reader holds a whole segment in memory, compressed. */
export const SEGMENT_BYTES_MAX = 67_108_864;

/** A higher one takes a tenth more time for 2% fewer bytes. */
const GZIP_LEVEL = 3;
/** Bounds are kept of columns that follow the order of the log, or have few values. */
const SORTED_BY = new Set(['partition', 'appended_at', 'received_at', 'occurred_at', 'site', 'name']);

export interface WrittenSegment {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
}

export interface SegmentStart {
  readonly partition: Partition;
  readonly after: Position | null;
}

/** The batches that a segment stands for; they need not all have rows. */
export interface SegmentRange {
  readonly first: Position;
  readonly last: Position;
  readonly firstAppendedAt: number;
  readonly lastAppendedAt: number;
}

export class SegmentWriter {
  events = 0;
  readonly #bytes = new ByteWriter(1_048_576);
  readonly #parquet = new ParquetWriter({
    writer: this.#bytes,
    schema: PARQUET_SCHEMA,
    codec: 'GZIP',
    compressors: { GZIP: (page) => gzipSync(page, { level: GZIP_LEVEL }) },
    createdBy: 'tidemark',
    kvMetadata: [{ key: 'tidemark.format', value: String(SEGMENT_FORMAT) }],
  });
  #rows = new RowBuffer();
  #range: SegmentRange | undefined;

  constructor(private readonly start: SegmentStart) {}

  /** Of the finished row groups. */
  get bytes(): number {
    return this.#bytes.offset;
  }

  /** Of the batches added so far. */
  get range(): SegmentRange | undefined {
    return this.#range;
  }

  add({ position, appendedAt, events }: RecordedBatch): void {
    const place = { partition: this.start.partition, position, appendedAt };
    for (const [index, event] of events.entries()) this.#rows.add(event, index, place);
    this.events += events.length;
    this.#range = {
      first: this.#range?.first ?? position,
      firstAppendedAt: this.#range?.firstAppendedAt ?? appendedAt,
      last: position,
      lastAppendedAt: appendedAt,
    };
    if (this.#rows.rows >= ROW_GROUP_EVENTS_MAX || this.#rows.textLength >= ROW_GROUP_TEXT_MAX)
      this.#endRowGroup();
  }

  /** @param revision of the manifest that the segment is to be added to */
  finish(range: SegmentRange, revision: number): WrittenSegment {
    this.#endRowGroup();
    void this.#parquet.finish();
    const bytes = this.#bytes.getBytes();
    const described = {
      ...this.start,
      ...range,
      events: this.events,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      schema: TRACKED_EVENT_SCHEMA,
    };
    return { segment: { ...described, object: objectNameOf(described, revision) }, bytes };
  }

  #endRowGroup(): void {
    const rows = this.#rows;
    if (rows.rows === 0) return;
    this.#rows = new RowBuffer();
    const nulls = new Array<null>(rows.rows).fill(null);
    const columnData = COLUMNS.map((column) => {
      const values = rows.valuesOf(column);
      return {
        name: column.name,
        data: values ?? nulls,
        offsetIndex: false,
        // What engines skip row groups by, and by which we skip columns of which no row has a value.
        statistics: values === undefined || SORTED_BY.has(column.name),
        ...(column.type === 'time' ? { encoding: 'DELTA_BINARY_PACKED' as const } : {}),
      };
    });
    void this.#parquet.write({ columnData, rowGroupSize: rows.rows });
  }
}
