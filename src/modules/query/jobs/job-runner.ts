// The background work of an api node: looks for jobs that nobody works on, works on a few at a time, renews
// their leases, and says how each ended. A stop hands them over; a death leaves them to the leases.
import { hostname } from 'node:os';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Config } from '../../../config/config.js';
import { ofStatus, problemOf } from '../../../http/problem-details.js';
import type { ProblemOptions } from '../../../http/problem.js';
import { within } from '../../../waiting/within.js';
import { type ClaimedJob, JobLostError, type JobQueue } from './job-queue.js';
import type { JobWork } from './job-work.js';
import type { JobOutcome, JobsTelemetry } from './jobs.telemetry.js';
import { ResultGoneError, type ResultStore } from './result-store.js';
import { ResultWriter } from './result-writer.js';

const LOOK_INTERVAL_MS = 2_000;
const RENEW_INTERVAL_MS = 3_000;
const TRIES_MAX = 5;
const RETRY_DELAY_MS = 5_000;
/** What a page of an export may still take when the node stops; a longer statement is left behind. */
const STOP_WAIT_MS = 2_000;

export interface JobRunnerDeps {
  readonly config: Pick<Config, 'JOBS_RUNNING_MAX' | 'JOB_RESULT_BYTES_MAX'>;
  readonly queue: JobQueue;
  readonly store: ResultStore;
  readonly works: readonly JobWork[];
  readonly telemetry: JobsTelemetry;
}

export class JobRunner implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #owner = `${hostname()}:${process.pid}`;
  readonly #kinds: readonly string[];
  readonly #running = new Map<
    ClaimedJob,
    { readonly ended: Promise<void>; readonly stop: AbortController }
  >();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(private readonly deps: JobRunnerDeps) {
    this.#kinds = deps.works.flatMap(({ kinds }) => kinds);
  }

  onApplicationBootstrap(): void {
    if (this.deps.config.JOBS_RUNNING_MAX === 0) return;
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS).unref();
    this.look();
  }

  async onModuleDestroy(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await this.#looking;
    const running = [...this.#running];
    for (const [, { stop }] of running) stop.abort();
    await within(STOP_WAIT_MS, Promise.all(running.map(([, { ended }]) => ended)));
    // Of what is left behind in a long statement, nothing is written any more.
    for (const job of this.#running.keys()) await this.deps.queue.handOver(job).catch(() => {});
  }

  /** A job may be waiting. */
  look(): void {
    this.#looking = this.#looking.then(() => this.#claimSome());
  }

  async #claimSome(): Promise<void> {
    try {
      while (!this.#isStopping && this.#running.size < this.deps.config.JOBS_RUNNING_MAX) {
        const job = await this.deps.queue.claim(this.#owner, this.#kinds);
        if (job === undefined) return;
        this.#begin(job);
      }
    } catch (error) {
      this.deps.telemetry.unreachable(error);
    }
  }

  #begin(job: ClaimedJob): void {
    const stop = new AbortController();
    const startedMs = performance.now();
    this.deps.telemetry.began();
    const ended = this.#workOn(job, stop).then((outcome) => {
      this.#running.delete(job);
      this.deps.telemetry.ended(job.kind, outcome, (performance.now() - startedMs) / 1_000);
      if (!this.#isStopping) this.look();
    });
    this.#running.set(job, { ended, stop });
  }

  /** Never throws. */
  async #workOn(job: ClaimedJob, stop: AbortController): Promise<JobOutcome> {
    if (job.tries > 1) this.deps.telemetry.takenOver(job, job.tries);
    const renewing = setInterval(() => void this.#renew(job, stop), RENEW_INTERVAL_MS);
    try {
      if (job.tries > TRIES_MAX) return await this.#fail(job, exhausted);
      return await this.#finish(job, stop.signal);
    } catch (error) {
      // Where this fails too, PostgreSQL is away, and the lease runs out.
      return await this.#broken(job, error).catch(() => 'lost' as const);
    } finally {
      clearInterval(renewing);
    }
  }

  async #renew(job: ClaimedJob, stop: AbortController): Promise<void> {
    // PostgreSQL being away says nothing about whose the job is: the next write tells.
    const isOurs = await this.deps.queue.renew(job).catch(() => true);
    if (!isOurs) stop.abort();
  }

  async #finish(job: ClaimedJob, signal: AbortSignal): Promise<JobOutcome> {
    const work = this.deps.works.find(({ kinds }) => kinds.includes(job.kind))!;
    const { store, queue } = this.deps;
    const result = await ResultWriter.open(job, { store, bytesMax: this.deps.config.JOB_RESULT_BYTES_MAX });
    const report = (progress: Parameters<JobQueue['report']>[1]) => queue.report(job, progress);
    const done = await work.run({ job, result, signal, report });
    await queue.finish(job, { ...done, sha256: result.sha256() });
    return 'done';
  }

  async #broken(job: ClaimedJob, error: unknown): Promise<JobOutcome> {
    if (this.#isStopping) {
      await this.deps.queue.handOver(job);
      return 'handed-over';
    }
    if (error instanceof JobLostError) return 'lost';
    // Chunks that a cancellation deletes under a worker.
    if (error instanceof ResultGoneError && !(await this.deps.queue.renew(job))) return 'lost';
    const problem = problemOf(error);
    if (problem.status < 500) return this.#fail(job, problem);
    if (problem.status === 500) this.deps.telemetry.broke(job, error);
    if (job.tries >= TRIES_MAX) return this.#fail(job, problem.status === 500 ? exhausted : problem);
    await this.deps.queue.putBack(job, RETRY_DELAY_MS * job.tries);
    return 'put-back';
  }

  async #fail(job: ClaimedJob, problem: ProblemOptions): Promise<JobOutcome> {
    if (!(await this.deps.queue.fail(job, problem))) return 'lost';
    await this.deps.store.delete(job);
    return 'failed';
  }
}

const exhausted: ProblemOptions = {
  ...ofStatus(500),
  type: 'job-not-finished',
  title: 'The job could not be finished',
  detail: `It was begun ${TRIES_MAX} times, and each time it broke off or its node was lost. Ask for less at once, or tell the operator.`,
};
