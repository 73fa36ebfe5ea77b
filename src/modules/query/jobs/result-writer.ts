// The result of one job while it is made: chunks go to the store as they come, each together with how far
// the job is, and are counted and digested on the way. What a lost worker wrote is read once, for the digest.
import { createHash } from 'node:crypto';
import { Problem } from '../../../http/problem.js';
import type { ClaimedJob } from './job-queue.js';
import type { Progress } from './job.js';
import type { ResultStore } from './result-store.js';

export interface ResultWriterDeps {
  readonly store: ResultStore;
  readonly bytesMax: number;
}

export class ResultWriter {
  #hash = createHash('sha256');
  #bytes = 0;

  private constructor(
    private readonly job: ClaimedJob,
    private readonly deps: ResultWriterDeps,
  ) {}

  /** Behind what has been written already. */
  static async open(job: ClaimedJob, deps: ResultWriterDeps): Promise<ResultWriter> {
    await deps.store.prepare(job);
    const writer = new ResultWriter(job, deps);
    for await (const piece of deps.store.read(job, { from: 0, to: job.bytes })) writer.#hash.update(piece);
    writer.#bytes = job.bytes;
    return writer;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param cursor where whoever takes the job over goes on
   * @throws JobLostError; Problem 422 where the result becomes too large
   */
  async append(bytes: Buffer, progress: Progress, cursor: string): Promise<void> {
    if (this.#bytes + bytes.length > this.deps.bytesMax) {
      throw resultTooLarge(`${this.deps.bytesMax} bytes`);
    }
    await this.deps.store.append(this.job, { firstByte: this.#bytes, bytes, progress, cursor });
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  /** @throws JobLostError */
  async startAnew(): Promise<void> {
    await this.deps.store.startAnew(this.job);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** Of all that was written; ends the writing. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

export const resultTooLarge = (may: string): Problem =>
  new Problem({
    status: 422,
    type: 'result-too-large',
    title: 'The result would become too large',
    detail: `A result may have ${may}: narrow the date range, or add a filter.`,
  });
