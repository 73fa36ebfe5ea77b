// The bytes of results, in chunks in PostgreSQL, so that every node can read what any node has written. All
// chunks of jobs that were created in one hour are in one table, which is dropped when none of them can be
// fetched any more: nothing is deleted row by row but what a client deletes.
import { Injectable } from '@nestjs/common';
import { DatabaseError, Pool } from 'pg';
import { AS_OWNER } from '../../../postgres/database-roles.js';
import { rowSecuritySql } from '../../../postgres/row-security.js';
import { inTenantTransaction } from '../../../postgres/tenant.js';
import { type Claim, IS_OURS, JobLostError, LEASED } from './job-queue.js';
import type { JobKey, Progress } from './job.js';

const HOUR_MS = 3_600_000;
/** Nobody creates a job of an hour that is over, but for transactions that began in it. */
const LATE_MS = 5 * 60_000;
/** Of a chunk in one answer of PostgreSQL; hardly any chunk is larger. */
const PIECE_BYTES_MAX = 4_194_304;
const UNDEFINED_TABLE = '42P01';
const TABLE = /^job_results_(\d{4})(\d\d)(\d\d)(\d\d)$/;

export interface StoredJob extends JobKey {
  readonly createdAt: Date;
}

export interface Chunk {
  readonly firstByte: number;
  readonly bytes: Buffer;
  readonly progress: Progress;
  /** Where whoever takes the job over goes on. */
  readonly cursor: string;
}

/** Half-open. */
export interface ByteSpan {
  readonly from: number;
  readonly to: number;
}

/** The result was deleted while it was read. */
export class ResultGoneError extends Error {
  override readonly name = 'ResultGoneError';
}

@Injectable()
export class ResultStore {
  constructor(private readonly pool: Pool) {}

  async prepare({ createdAt }: StoredJob): Promise<void> {
    // One after the other: IF NOT EXISTS does not keep two from making the same type.
    await this.pool.query(
      `${AS_OWNER}; SELECT pg_advisory_xact_lock(hashtext('tidemark job results'));
      CREATE TABLE IF NOT EXISTS ${tableOf(createdAt)} (
        site text NOT NULL, job text NOT NULL, first_byte bigint NOT NULL, bytes bytea NOT NULL,
        PRIMARY KEY (site, job, first_byte)
      );
      ${rowSecuritySql(tableOf(createdAt))}`,
    );
  }

  /**
   * The chunk and how far the job is, both or neither.
   * @throws JobLostError
   */
  async append({ createdAt, ...claim }: StoredJob & Claim, chunk: Chunk): Promise<void> {
    const { firstByte, bytes, progress, cursor } = chunk;
    const { rowCount } = await this.pool.query(
      `WITH ours AS (
        UPDATE jobs SET cursor = $4, rows = $5, rows_expected = $6, share = $7, bytes = $8::bigint + octet_length($9::bytea),
          until = ${LEASED}
        WHERE ${IS_OURS} RETURNING site, id
      )
      INSERT INTO ${tableOf(createdAt)} (site, job, first_byte, bytes) SELECT site, id, $8::bigint, $9::bytea FROM ours`,
      [
        ...[claim.site, claim.id, claim.generation],
        ...[cursor, progress.rows, progress.rowsExpected, progress.share, firstByte, bytes],
      ],
    );
    if (rowCount !== 1) throw new JobLostError();
  }

  /**
   * As if nothing had been written.
   * @throws JobLostError
   */
  async startAnew({ createdAt, ...claim }: StoredJob & Claim): Promise<void> {
    const { rows } = await this.pool.query<{ ours: string }>(
      `WITH ours AS (
        UPDATE jobs SET cursor = NULL, rows = 0, share = 0, bytes = 0 WHERE ${IS_OURS} RETURNING site, id
      ), gone AS (DELETE FROM ${tableOf(createdAt)} AS chunk USING ours WHERE chunk.site = ours.site AND chunk.job = ours.id)
      SELECT count(*) AS ours FROM ours`,
      [claim.site, claim.id, claim.generation],
    );
    if (rows[0]!.ours !== '1') throw new JobLostError();
  }

  /** One piece at a time, each by a statement of its own. @throws ResultGoneError when it is deleted meanwhile */
  async *read({ site, id, createdAt }: StoredJob, { from, to }: ByteSpan): AsyncGenerator<Buffer> {
    for (let at = from; at < to;) {
      const piece = await this.#piece({ site, id, createdAt }, { from: at, to });
      if (piece === undefined || piece.length === 0) {
        throw new ResultGoneError('The result was deleted while it was read');
      }
      yield piece;
      at += piece.length;
    }
  }

  async #piece({ site, id, createdAt }: StoredJob, { from, to }: ByteSpan): Promise<Buffer | undefined> {
    const piece = Math.min(to - from, PIECE_BYTES_MAX);
    try {
      const { rows } = await inTenantTransaction(this.pool, { site }, (client) =>
        client.query<{ piece: Buffer }>(
          `SELECT substring(bytes FROM ($3::bigint - first_byte)::int + 1 FOR $4::int) AS piece
            FROM ${tableOf(createdAt)} WHERE site = $1 AND job = $2 AND first_byte <= $3
            ORDER BY first_byte DESC LIMIT 1`,
          [site, id, from, piece],
        ),
      );
      return rows[0]?.piece;
    } catch (error) {
      if (isUndefinedTable(error)) return undefined;
      throw error;
    }
  }

  async delete({ site, id, createdAt }: StoredJob): Promise<void> {
    try {
      await inTenantTransaction(this.pool, { site }, (client) =>
        client.query(`DELETE FROM ${tableOf(createdAt)} WHERE site = $1 AND job = $2`, [site, id]),
      );
    } catch (error) {
      if (!isUndefinedTable(error)) throw error;
    }
  }

  /** Drops the tables of which nothing is needed any more; says how many. */
  async dropExpired(): Promise<number> {
    const { rows } = await this.pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname ~ '^job_results_[0-9]{10}$'`,
    );
    let dropped = 0;
    for (const { name } of rows) {
      const [, year, month, day, hour] = TABLE.exec(name)!.map(Number);
      const begin = Date.UTC(year!, month! - 1, day, hour);
      if (Date.now() < begin + HOUR_MS + LATE_MS || (await this.#isNeeded(begin))) continue;
      await this.pool.query(`${AS_OWNER}; SET LOCAL lock_timeout = '5s'; DROP TABLE IF EXISTS ${name}`);
      dropped++;
    }
    return dropped;
  }

  async #isNeeded(begin: number): Promise<boolean> {
    const { rows } = await this.pool.query(
      `SELECT FROM jobs WHERE created_at >= $1 AND created_at < $2
        AND (state IN ('queued', 'running') OR state = 'done' AND expires_at > now()) LIMIT 1`,
      [new Date(begin), new Date(begin + HOUR_MS)],
    );
    return rows.length > 0;
  }
}

const tableOf = (createdAt: Date): string =>
  `job_results_${createdAt.toISOString().slice(0, 13).replaceAll(/[-T]/g, '')}`;

const isUndefinedTable = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code === UNDEFINED_TABLE;
