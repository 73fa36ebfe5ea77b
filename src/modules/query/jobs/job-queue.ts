// Who works on which job. A claim is a lease by the database's clock and a generation: whoever claims a job
// after its lease ran out raises the generation, and every write of a worker names its own. So whoever was
// paused, and wakes up to find a successor, writes nothing. A statement is a transaction: none stays open
// across a pause with the job's row locked.
import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import type { ProblemOptions } from '../../../http/problem.js';
import type { JobKey, Progress } from './job.js';

/** A lost worker's job is taken over within this and the interval at which the others look. */
export const LEASE_MS = 10_000;

/** SQL: until when a lease lasts that begins now. */
export const LEASED = `now() + interval '${LEASE_MS} ms'`;

/** Names a claim: good until another takes the job over. */
export interface Claim extends JobKey {
  readonly generation: number;
}

export interface ClaimedJob extends Claim {
  readonly kind: string;
  /** JSON, as the kind keeps it. */
  readonly request: string;
  readonly createdAt: Date;
  /** How often it was begun, this time included. */
  readonly tries: number;
  /** What has been written already, and where that ended: JSON, as the kind keeps it. */
  readonly cursor: string | null;
  readonly bytes: number;
  readonly rows: number;
}

export interface Finished {
  readonly contentType: string;
  readonly sha256: string;
  readonly rows: number;
  /** JSON. */
  readonly about: string | null;
}

/** The claim is another's by now, or the job was cancelled. */
export class JobLostError extends Error {
  override readonly name = 'JobLostError';
  constructor() {
    super('The job was cancelled, or another node works on it');
  }
}

interface ClaimedRow {
  readonly site: string;
  readonly id: string;
  readonly generation: number;
  readonly kind: string;
  readonly request: string;
  readonly created_at: Date;
  readonly tries: number;
  readonly cursor: string | null;
  readonly bytes: string;
  readonly rows: string;
}

@Injectable()
export class JobQueue {
  constructor(
    private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'JOB_RESULT_RETENTION_HOURS'>,
  ) {}

  /**
   * The next job that nobody works on: first those of merchants with the fewest running, then the oldest.
   * @param kinds which this node knows: a newer version may have others, while nodes are upgraded in turn
   */
  async claim(owner: string, kinds: readonly string[]): Promise<ClaimedJob | undefined> {
    const { rows } = await this.pool.query<ClaimedRow>(
      `WITH next AS (
        SELECT site, id FROM jobs WHERE state IN ('queued', 'running') AND until < now() AND kind = ANY($2)
        ORDER BY (SELECT count(*) FROM jobs AS other WHERE other.merchant = jobs.merchant
            AND other.state = 'running' AND other.until >= now()), created_at, id
        LIMIT 1 FOR UPDATE SKIP LOCKED
      )
      UPDATE jobs SET state = 'running', owner = $1, generation = generation + 1, tries = tries + 1,
        until = ${LEASED}, started_at = coalesce(started_at, now()), claimed_at = now(), claimed_share = share
      FROM next WHERE jobs.site = next.site AND jobs.id = next.id
      RETURNING jobs.site, jobs.id, generation, kind, request, created_at, tries, cursor, bytes, rows`,
      [owner, kinds],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const { created_at: createdAt, bytes, rows: count, ...same } = row;
    return { ...same, createdAt, bytes: Number(bytes), rows: Number(count) };
  }

  /** False: the job is no longer this worker's. */
  async renew(claim: Claim): Promise<boolean> {
    return this.#update(claim, `until = ${LEASED}`);
  }

  /** @throws JobLostError */
  async report(claim: Claim, { rows, rowsExpected, share }: Progress): Promise<void> {
    const isOurs = await this.#update(claim, 'rows = $4, rows_expected = $5, share = $6', [
      rows,
      rowsExpected,
      share,
    ]);
    if (!isOurs) throw new JobLostError();
  }

  /** @throws JobLostError */
  async finish(claim: Claim, { contentType, sha256, rows, about }: Finished): Promise<void> {
    const isOurs = await this.#update(
      claim,
      `state = 'done', content_type = $4, sha256 = $5, rows = $6, about = $7, share = 1, cursor = NULL, owner = NULL,
        finished_at = now(), expires_at = now() + $8 * interval '1 hour'`,
      [contentType, sha256, rows, about, this.config.JOB_RESULT_RETENTION_HOURS],
    );
    if (!isOurs) throw new JobLostError();
  }

  /** False: it was no longer this worker's to fail. */
  async fail(claim: Claim, problem: ProblemOptions): Promise<boolean> {
    return this.#update(
      claim,
      `state = 'failed', problem = $4, bytes = 0, cursor = NULL, owner = NULL, finished_at = now(),
        expires_at = now() + $5 * interval '1 hour'`,
      [JSON.stringify(problem), this.config.JOB_RESULT_RETENTION_HOURS],
    );
  }

  /** To be begun again after a while, here or elsewhere. */
  async putBack(claim: Claim, delayMs: number): Promise<void> {
    await this.#update(claim, `state = 'queued', owner = NULL, until = now() + $4 * interval '1 ms'`, [
      delayMs,
    ]);
  }

  /** At once to whoever wants it, by a node that stops in good order: that was no try. */
  async handOver(claim: Claim): Promise<void> {
    await this.#update(claim, `state = 'queued', owner = NULL, until = '-infinity', tries = tries - 1`);
  }

  async #update(claim: Claim, set: string, values: readonly unknown[] = []): Promise<boolean> {
    const { rowCount } = await this.pool.query(`UPDATE jobs SET ${set} WHERE ${IS_OURS}`, [
      claim.site,
      claim.id,
      claim.generation,
      ...values,
    ]);
    return rowCount === 1;
  }
}

/** Of the first three parameters. */
export const IS_OURS = `site = $1 AND id = $2 AND generation = $3 AND state = 'running'`;
