// The sorted events of one partition on disk while a rebuild needs them: chunks appended to one file,
// each of one bucket, and from time to time a mark that says how far the log has been read. After a
// crash everything behind the last mark is cut off. Not the truth of anything: if it is lost, damaged
// or on another machine, it is made again from the log.
//
//   chunk  bucket u32 · events u32 · bytes u32 · as a batch of the log (batch-codec.ts)
//   mark   0xffffffff · events u32 · bytes u32 · JSON {position, links}
import { type FileHandle, open, rm } from 'node:fs/promises';
import { GrowingBatch, type EventSlice, sliceBatch } from '../../../tracking-log/batch-slices.js';
import type { Position } from '../../../tracking-log/tracking-log.js';
import type { Feed } from '../feed.js';

/** Within DATA_DIR. */
export const REBUILD_DIRECTORY = 'rebuild';

export const bucketFileName = ({ version, partition }: Feed): string => `v${version}-p${partition}.buckets`;

const HEADER_BYTES = 12;
const MARK = 0xffff_ffff;
/** Of memory, from one mark to the next. */
const KEPT_BYTES_MAX = 24 * 1_048_576;

/** NaN of any other file. */
export const versionOfFile = (name: string): number => Number(/^v(\d+)-/.exec(name)?.[1]);

/** Two ids of one visitor, the second of which came with a new day. */
export type Link = readonly [visitor: string, previousVisitor: string];

interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

interface Mark {
  readonly position: Position;
  readonly links: readonly Link[];
}

export class BucketFile {
  readonly #extents = new Map<number, Extent[]>();
  readonly #links: Link[] = [];
  #pending = new Sorted();
  /** What takes turns with it: one is written while the other fills. */
  #spare = new Sorted();
  /** Where buckets are read, one after the other. */
  #read: Buffer = Buffer.alloc(0);
  #length = 0;
  #events = 0;
  #position: Position | null = null;

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** What is there is gone on with. The directory must exist. */
  static async open(path: string): Promise<BucketFile> {
    const file = new BucketFile(path, await open(path, 'a+'));
    await file.#recover();
    return file;
  }

  /** The last mark's: the log has been sorted up to here. */
  get position(): Position | null {
    return this.#position;
  }

  /** As of the last mark. */
  get events(): number {
    return this.#events;
  }

  get links(): readonly Link[] {
    return this.#links;
  }

  /** Added since the last mark was begun. */
  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  add(bucket: number, event: EventSlice): void {
    this.#pending.add(bucket, event);
  }

  link(visitor: string, previousVisitor: string): void {
    this.#pending.links.push([visitor, previousVisitor]);
  }

  /**
   * Everything added so far is on disk, and `position` is where to go on after a crash. Meanwhile more may be
   * added, but not marked.
   */
  async mark(position: Position): Promise<void> {
    const sorted = this.#pending;
    this.#pending = this.#spare;
    const parts: Buffer[] = [];
    const extents: [bucket: number, extent: Extent][] = [];
    let offset = this.#length;
    for (const { bucket, events, bytes } of sorted.chunks()) {
      parts.push(header({ bucket, events, bytes: bytes.length }), bytes);
      extents.push([bucket, { offset: offset + HEADER_BYTES, bytes: bytes.length }]);
      offset += HEADER_BYTES + bytes.length;
    }
    const { links, events } = sorted;
    const said: Mark = { position, links };
    const text = Buffer.from(JSON.stringify(said));
    parts.push(header({ bucket: MARK, events, bytes: text.length }), text);
    offset += HEADER_BYTES + text.length;
    try {
      const { bytesWritten } = await this.file.writev(parts);
      if (bytesWritten < offset - this.#length) throw new Error('The disk did not take all that was sorted');
      await this.file.datasync();
    } catch (error) {
      // What the disk took of it must not be met again.
      await this.file.truncate(this.#length);
      throw error;
    }
    for (const [bucket, extent] of extents) this.#remember(bucket, extent);
    for (const link of links) this.#links.push(link);
    this.#events += events;
    this.#length = offset;
    this.#position = position;
    sorted.clear();
    this.#spare = sorted;
  }

  /** What it gives is good until the next bucket is read. @throws DamagedBatchError */
  async *read(bucket: number): AsyncGenerator<readonly EventSlice[]> {
    const extents = this.#extents.get(bucket) ?? [];
    const needed = extents.reduce((sum, { bytes }) => sum + bytes, 0);
    if (needed > this.#read.length) this.#read = Buffer.allocUnsafeSlow(needed);
    let end = 0;
    for (const { offset, bytes } of extents) {
      const chunk = this.#read.subarray(end, (end += bytes));
      await this.file.read(chunk, 0, bytes, offset);
      yield sliceBatch(chunk);
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }

  async delete(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  #remember(bucket: number, extent: Extent): void {
    const known = this.#extents.get(bucket);
    if (known === undefined) this.#extents.set(bucket, [extent]);
    else known.push(extent);
  }

  async #recover(): Promise<void> {
    const { size } = await this.file.stat();
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    let unmarked: [bucket: number, extent: Extent][] = [];
    let offset = 0;
    while (offset + HEADER_BYTES <= size) {
      await this.file.read(header, 0, HEADER_BYTES, offset);
      const bucket = header.readUInt32LE(0);
      const bytes = header.readUInt32LE(8);
      const next = offset + HEADER_BYTES + bytes;
      if (next > size) break;
      if (bucket === MARK) {
        const mark = await this.#readMark({ offset: offset + HEADER_BYTES, bytes });
        if (mark === null) break;
        for (const [of, extent] of unmarked) this.#remember(of, extent);
        unmarked = [];
        this.#position = mark.position;
        for (const link of mark.links) this.#links.push(link);
        this.#events += header.readUInt32LE(4);
        this.#length = next;
      } else unmarked.push([bucket, { offset: offset + HEADER_BYTES, bytes }]);
      offset = next;
    }
    await this.file.truncate(this.#length);
  }

  async #readMark({ offset, bytes }: Extent): Promise<Mark | null> {
    const text = Buffer.allocUnsafe(bytes);
    await this.file.read(text, 0, bytes, offset);
    try {
      return JSON.parse(text.toString()) as Mark;
    } catch {
      return null;
    }
  }
}

/** Events in memory on their way to the file. */
class Sorted {
  readonly #batches = new Map<number, GrowingBatch>();
  links: Link[] = [];
  bytes = 0;
  events = 0;

  add(bucket: number, event: EventSlice): void {
    let batch = this.#batches.get(bucket);
    if (batch === undefined) this.#batches.set(bucket, (batch = new GrowingBatch()));
    batch.add(event);
    this.bytes += event.end - event.start;
    this.events++;
  }

  *chunks(): Generator<Chunk> {
    for (const [bucket, batch] of this.#batches) {
      if (batch.events > 0) yield { bucket, events: batch.events, bytes: batch.seal() };
    }
  }

  /** What comes next is much like what came: its memory is there. */
  clear(): void {
    let kept = 0;
    for (const [bucket, batch] of this.#batches) {
      kept += batch.capacityBytes;
      if (kept > KEPT_BYTES_MAX) this.#batches.delete(bucket);
      else batch.clear();
    }
    this.links = [];
    this.bytes = 0;
    this.events = 0;
  }
}

interface Chunk {
  readonly bucket: number;
  readonly events: number;
  readonly bytes: Buffer;
}

interface Header {
  readonly bucket: number;
  readonly events: number;
  readonly bytes: number;
}

function header({ bucket, events, bytes }: Header): Buffer {
  const target = Buffer.allocUnsafe(HEADER_BYTES);
  target.writeUInt32LE(bucket, 0);
  target.writeUInt32LE(events, 4);
  target.writeUInt32LE(bytes, 8);
  return target;
}
