// What the protocol double of EventStoreDB keeps: streams of records in one total order, in memory
// and, if it is given a file, in that file before an append is acknowledged. Killed with -9 and
// started again it knows what it knew; it does not sync, so it survives no power cut.
import { EventEmitter } from 'node:events';
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface ProposedRecord {
  readonly id: string;
  /** Such as `type` and `content-type`. */
  readonly metadata: readonly (readonly [string, string])[];
  readonly customMetadata: Uint8Array;
  readonly data: Uint8Array;
}

export interface JournalRecord extends ProposedRecord {
  readonly stream: string;
  readonly revision: number;
  /** Commit and prepare position in one: grows with the bytes written, as a server's does. */
  readonly position: bigint;
  /** Ticks of 100 ns since 1970. */
  readonly created: string;
}

export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

export type AppendResult =
  | { readonly outcome: 'appended'; readonly last: JournalRecord }
  | { readonly outcome: 'wrong-revision'; readonly current: number | 'no-stream' };

/** As it stands in the file: one line for one append, so that it is there whole or not at all. */
interface Line {
  readonly stream: string;
  readonly created: string;
  readonly records: readonly {
    readonly id: string;
    readonly metadata: readonly (readonly [string, string])[];
    readonly customMetadata: string;
    readonly data: string;
  }[];
}

const TICKS_PER_MS = 10_000n;

export class Journal {
  readonly all: JournalRecord[] = [];
  /** Says 'append' after each. */
  readonly appends = new EventEmitter().setMaxListeners(0);
  readonly #streams = new Map<string, JournalRecord[]>();
  readonly #file: number | undefined;
  #end = 0n;

  constructor(path?: string) {
    if (path === undefined) return;
    if (existsSync(path)) this.#load(path);
    this.#file = openSync(path, 'a');
  }

  stream(name: string): readonly JournalRecord[] | undefined {
    return this.#streams.get(name);
  }

  append(stream: string, proposed: readonly ProposedRecord[], expected: ExpectedRevision): AppendResult {
    const current = (this.stream(stream)?.length ?? 0) - 1;
    const fits =
      expected === 'any' ||
      (expected === 'stream-exists' && current >= 0) ||
      (expected === 'no-stream' ? current < 0 : expected === current);
    if (!fits) return { outcome: 'wrong-revision', current: current < 0 ? 'no-stream' : current };
    const created = String(BigInt(Date.now()) * TICKS_PER_MS);
    this.#write(stream, created, proposed);
    this.#add(stream, created, proposed);
    this.appends.emit('append');
    return { outcome: 'appended', last: this.all.at(-1)! };
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #write(stream: string, created: string, proposed: readonly ProposedRecord[]): void {
    if (this.#file === undefined) return;
    const records = proposed.map(({ id, metadata, customMetadata, data }) => ({
      id,
      metadata,
      customMetadata: Buffer.from(customMetadata).toString('base64'),
      data: Buffer.from(data).toString('base64'),
    }));
    writeSync(this.#file, `${JSON.stringify({ stream, created, records } satisfies Line)}\n`);
  }

  #add(stream: string, created: string, proposed: readonly ProposedRecord[]): void {
    const records = this.#streams.get(stream) ?? [];
    this.#streams.set(stream, records);
    for (const record of proposed) {
      this.#end += BigInt(record.data.length + record.customMetadata.length + 100);
      const stored = { ...record, stream, revision: records.length, position: this.#end, created };
      records.push(stored);
      this.all.push(stored);
    }
  }

  /** A last line that a kill left unfinished was never acknowledged, and goes. */
  #load(path: string): void {
    const text = readFileSync(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const file = openSync(path, 'r+');
    ftruncateSync(file, Buffer.byteLength(whole));
    closeSync(file);
    for (const line of whole.split('\n').slice(0, -1)) {
      const { stream, created, records } = JSON.parse(line) as Line;
      const proposed = records.map((record) => ({
        ...record,
        customMetadata: Buffer.from(record.customMetadata, 'base64'),
        data: Buffer.from(record.data, 'base64'),
      }));
      this.#add(stream, created, proposed);
    }
  }
}
