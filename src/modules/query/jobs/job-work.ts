// What a kind of job must bring to be worked on: how it goes from a request to the bytes of a result, going on
// where a lost worker stopped if it can. Queue, leases, fencing, tries, limits and expiry are the machinery's.
import type { ClaimedJob, Finished } from './job-queue.js';
import type { Progress } from './job.js';
import type { ResultWriter } from './result-writer.js';

export interface JobTask {
  readonly job: ClaimedJob;
  readonly result: ResultWriter;
  /** Aborts when the job is cancelled or lost, or the node stops: to be looked at between two steps. */
  readonly signal: AbortSignal;
  /** How far it is, between two chunks. @throws JobLostError */
  readonly report: (progress: Progress) => Promise<void>;
}

export type WorkDone = Omit<Finished, 'sha256'>;

export interface JobWork {
  /** Those of `jobs.kind`. */
  readonly kinds: readonly string[];
  /** @throws Problem for what the client must know; 503 where it should be tried again */
  run(task: JobTask): Promise<WorkDone>;
}
