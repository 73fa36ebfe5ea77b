// Jobs as clients see them: put into the queue within what a site and its merchant may have there, found,
// listed, cancelled and removed. Who works on them is job-queue.ts.
import { Inject, Injectable } from '@nestjs/common';
import { Pool, type PoolClient, type QueryResult } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem, type ProblemOptions } from '../../../http/problem.js';
import { inTenantTransaction } from '../../../postgres/tenant.js';
import { CHANCE } from '../../auth/random-ids.js';
import type { Job, JobKey, JobState } from './job.js';
import { ResultStore } from './result-store.js';

const RETRY_AFTER_SECONDS = 30;
/** Documents of a merchant's jobs, of which those that are over stay for a week. */
const DOCUMENTS_MAX = 20_000;

export interface NewJob {
  readonly site: string;
  readonly merchant: string;
  readonly kind: string;
  readonly request: object;
  /** Default: by chance. A job that has it already is the answer. */
  readonly id?: string;
}

export interface JobPlace {
  readonly createdAt: Date;
  readonly id: string;
}

type Limits = Pick<
  Config,
  'JOBS_WAITING_PER_SITE_MAX' | 'JOBS_WAITING_PER_MERCHANT_MAX' | 'JOB_RESULTS_PER_MERCHANT_BYTES_MAX'
>;

interface JobRow extends Pick<Job, 'site' | 'id' | 'kind' | 'request' | 'about' | 'sha256'> {
  readonly state: JobState;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly expires_at: Date | null;
  readonly has_expired: boolean;
  readonly rows: string;
  readonly rows_expected: string | null;
  readonly share: number | null;
  readonly claimed_seconds: number | null;
  readonly claimed_share: number | null;
  readonly bytes: string;
  readonly content_type: string | null;
  readonly problem: string | null;
}

const COLUMNS = `site, id, kind, request, state, created_at, started_at, finished_at, expires_at,
  coalesce(expires_at <= now(), false) AS has_expired, rows, rows_expected, share,
  extract(epoch FROM now() - claimed_at)::float8 AS claimed_seconds, claimed_share, bytes, content_type, sha256,
  about, problem`;

@Injectable()
export class JobTable {
  constructor(
    private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Limits & Pick<Config, 'JOB_RESULT_RETENTION_HOURS'>,
    @Inject(ResultStore) private readonly results: ResultStore,
  ) {}

  /** @throws Problem 429 or 409 where there are too many already */
  async add({ site, merchant, kind, request, id = CHANCE.newId('j') }: NewJob): Promise<Job> {
    return inTenantTransaction(this.pool, { site, merchant }, async (client) => {
      // Of one merchant one after the other, so that the limits hold.
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`jobs of ${merchant}`]);
      const { rows: added } = await client.query<JobRow>(
        `SELECT ${COLUMNS} FROM jobs WHERE site = $1 AND id = $2`,
        [site, id],
      );
      if (added[0] !== undefined) return jobOf(added[0]);
      await refuseTooMany(client, { site, merchant, limits: this.config });
      const { rows } = await client.query<JobRow>(
        `INSERT INTO jobs (site, id, merchant, kind, request) VALUES ($1, $2, $3, $4, $5) RETURNING ${COLUMNS}`,
        [site, id, merchant, kind, JSON.stringify(request)],
      );
      return jobOf(rows[0]!);
    });
  }

  async find({ site, id }: JobKey): Promise<Job | undefined> {
    const { rows } = await this.#of(site, `SELECT ${COLUMNS} FROM jobs WHERE site = $1 AND id = $2`, [id]);
    return rows[0] && jobOf(rows[0]);
  }

  /** Newest first. */
  async list(site: string, before: JobPlace | null, limit: number): Promise<readonly Job[]> {
    const { rows } = await this.#of(
      site,
      `SELECT ${COLUMNS} FROM jobs
        WHERE site = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
        ORDER BY created_at DESC, id DESC LIMIT $4`,
      [before?.createdAt ?? null, before?.id ?? null, limit],
    );
    return rows.map(jobOf);
  }

  /** A job that is not over ends here, and what it had written is deleted. Undefined: it was over. */
  async cancel(job: Job): Promise<Job | undefined> {
    const { rows } = await this.#of(
      job.site,
      `UPDATE jobs SET state = 'cancelled', finished_at = now(), bytes = 0, share = NULL,
          expires_at = now() + $3 * interval '1 hour'
        WHERE site = $1 AND id = $2 AND state IN ('queued', 'running') RETURNING ${COLUMNS}`,
      [job.id, this.config.JOB_RESULT_RETENTION_HOURS],
    );
    if (rows[0] === undefined) return undefined;
    await this.results.delete(job);
    return jobOf(rows[0]);
  }

  /** Of a job that is over: its document and its result. */
  async remove(job: Job): Promise<void> {
    // In this order: what a crash leaves behind is nobody's, and goes with its table.
    await this.#of(
      job.site,
      `DELETE FROM jobs WHERE site = $1 AND id = $2 AND state NOT IN ('queued', 'running')`,
      [job.id],
    );
    await this.results.delete(job);
  }

  /** The site is the first parameter, and all that the statement can reach. */
  #of(site: string, sql: string, others: readonly unknown[]): Promise<QueryResult<JobRow>> {
    return inTenantTransaction(this.pool, { site }, (client) => client.query<JobRow>(sql, [site, ...others]));
  }
}

interface Asked {
  readonly site: string;
  readonly merchant: string;
  readonly limits: Limits;
}

async function refuseTooMany(client: PoolClient, { site, merchant, limits }: Asked): Promise<void> {
  const { rows } = await client.query<Record<'of_site' | 'of_merchant' | 'documents' | 'bytes', string>>(
    `SELECT count(*) FILTER (WHERE state IN ('queued', 'running') AND site = $1) AS of_site,
        count(*) FILTER (WHERE state IN ('queued', 'running')) AS of_merchant,
        count(*) AS documents,
        coalesce(sum(bytes) FILTER (WHERE expires_at IS NULL OR expires_at > now()), 0) AS bytes
      FROM jobs WHERE merchant = $2`,
    [site, merchant],
  );
  const { of_site, of_merchant, documents, bytes } = rows[0]!;
  if (Number(of_site) >= limits.JOBS_WAITING_PER_SITE_MAX) {
    throw tooMany(`The site has ${of_site} jobs waiting or running: wait for one of them, or cancel it.`);
  }
  if (Number(of_merchant) >= limits.JOBS_WAITING_PER_MERCHANT_MAX) {
    throw tooMany(
      `Your sites have ${of_merchant} jobs waiting or running: wait for one of them, or cancel it.`,
    );
  }
  if (Number(documents) >= DOCUMENTS_MAX) {
    throw tooMany(`There are ${documents} jobs of your sites: delete those that are over.`);
  }
  if (Number(bytes) >= limits.JOB_RESULTS_PER_MERCHANT_BYTES_MAX) {
    throw Problem.conflict(
      `The results kept for your sites have ${bytes} bytes: delete jobs that are over, or wait until they expire.`,
    );
  }
}

const tooMany = (detail: string): Problem =>
  new Problem({
    status: 429,
    type: 'too-many-jobs',
    title: 'Too many jobs',
    detail,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });

const jobOf = (row: JobRow): Job => ({
  site: row.site,
  id: row.id,
  kind: row.kind,
  request: row.request,
  state: row.state,
  createdAt: row.created_at,
  startedAt: row.started_at,
  finishedAt: row.finished_at,
  expiresAt: row.expires_at,
  hasExpired: row.has_expired,
  progress: {
    rows: Number(row.rows),
    rowsExpected: row.rows_expected === null ? null : Number(row.rows_expected),
    share: row.share,
  },
  claimedSeconds: row.claimed_seconds,
  claimedShare: row.claimed_share,
  bytes: Number(row.bytes),
  contentType: row.content_type,
  sha256: row.sha256,
  about: row.about,
  problem: row.problem === null ? null : (JSON.parse(row.problem) as ProblemOptions),
});
