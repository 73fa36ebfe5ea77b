// Gives back the batches of a segment, exactly as the log held them, one row group at a time.
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  type RowGroup,
} from 'hyparquet';
import type { TrackedEvent } from '../events/tracked-event.js';
import type { RecordedBatch } from '../tracking-log/tracking-log.js';
import { COLUMNS_UNREAD, RowColumns, SEGMENT_FORMAT } from './segment-columns.js';

export class UnknownSegmentFormatError extends Error {
  override readonly name = 'UnknownSegmentFormatError';
  constructor(format: string | undefined) {
    super(
      `A segment of the archive has format ${format}; this version reads formats up to ${SEGMENT_FORMAT}. ` +
        'It was probably written by a newer version: run that one.',
    );
  }
}

const parsers = {
  stringFromBytes: (bytes: Uint8Array) => textOf(bytes),
  timestampFromMilliseconds: Number,
};

const compressors = {
  GZIP: (page: Uint8Array, bytes: number) => gunzipSync(page, { maxOutputLength: Math.max(bytes, 1) }),
};

/** @throws UnknownSegmentFormatError; UnknownEventSchemaError */
export async function* readSegment(bytes: Uint8Array): AsyncGenerator<RecordedBatch, void, undefined> {
  const file = bufferOf(bytes);
  const metadata = await parquetMetadataAsync(file);
  refuseUnknownFormat(metadata);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    yield* batchesOf(await readRowGroup(group, { file, metadata, rowStart }));
    rowStart += Number(group.num_rows);
    // Even a reader that never waits for anything lets the process breathe.
    await setImmediate();
  }
}

interface RowGroupSource {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rowStart: number;
}

async function readRowGroup(
  group: RowGroup,
  { file, metadata, rowStart }: RowGroupSource,
): Promise<RowColumns> {
  const rows = Number(group.num_rows);
  const columns = group.columns.flatMap(({ meta_data: column }) =>
    column === undefined ||
    COLUMNS_UNREAD.has(column.path_in_schema[0] ?? '') ||
    column.statistics?.null_count === group.num_rows
      ? []
      : column.path_in_schema,
  );
  const values = new Map<string, ArrayLike<unknown>>();
  await parquetRead({
    ...{ file, metadata, columns, rowStart, rowEnd: rowStart + rows, parsers, compressors },
    onChunk: ({ columnName, columnData }) => {
      const before = values.get(columnName);
      values.set(columnName, before === undefined ? columnData : [...Array.from(before), ...columnData]);
    },
  });
  return new RowColumns(rows, values);
}

function* batchesOf(columns: RowColumns): Generator<RecordedBatch> {
  const positions = columns.required<string>('position');
  const appendedAts = columns.required<number>('appended_at');
  let events: TrackedEvent[] = [];
  for (const [row, event] of columns.events().entries()) {
    events.push(event);
    if (row + 1 < columns.rows && positions[row + 1] === positions[row]) continue;
    yield { position: positions[row]!, appendedAt: appendedAts[row]!, events };
    events = [];
  }
}

function refuseUnknownFormat({ key_value_metadata: pairs = [] }: FileMetaData): void {
  const format = pairs.find(({ key }) => key === 'tidemark.format')?.value;
  if (format !== String(SEGMENT_FORMAT)) throw new UnknownSegmentFormatError(format);
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): AsyncBuffer {
  return {
    byteLength,
    slice: (start, end = byteLength) => buffer.slice(byteOffset + start, byteOffset + end) as ArrayBuffer,
  };
}

/** Decoding short texts one by one costs half as much as with TextDecoder. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
