// First stage of the import: bytes of a file or pipe, plain or gzip, into lines. Memory is bounded by
// one chunk and one line whatever the input: a line over the limit is passed over, not gathered.
// Lines stay bytes, because ids are made from the bytes.
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export const LINE_BYTES_MAX = 65_536;

/** Stands for a line longer than LINE_BYTES_MAX. */
export const TOO_LONG = Symbol('line too long');

export type Line = Buffer | typeof TOO_LONG;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The lines of each chunk, without their line ends. The last line needs none. */
export async function* readLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<Line[]> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  const finish = (end: Buffer): Line => {
    const length = begunBytes + end.length;
    const line = begun.length === 0 ? end : Buffer.concat([...begun, end], Math.min(length, LINE_BYTES_MAX));
    begun = [];
    begunBytes = 0;
    return length > LINE_BYTES_MAX ? TOO_LONG : withoutCarriageReturn(line);
  };
  for await (const chunk of bytes) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      // Past the limit only the length matters.
      if (begunBytes <= LINE_BYTES_MAX) begun.push(chunk.subarray(start));
      begunBytes += chunk.length - start;
    }
    if (lines.length > 0) yield lines;
  }
  if (begunBytes > 0) yield [finish(Buffer.alloc(0))];
}

const withoutCarriageReturn = (line: Buffer): Buffer =>
  line.length > 0 && line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, -1) : line;

/** Inflates what begins like gzip, by content and not by name; several members in a row are one file. */
export async function* inflateIfGzipped(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = joined(head, chunks);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* rest;
    return;
  }
  const inflated = pipeline(Readable.from(rest, { objectMode: false }), createGunzip(), () => {
    // An error reaches the reader of `inflated`.
  });
  yield* inflated as AsyncIterable<Buffer>;
}

async function* joined(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
