// A job as clients read it.
import { problemBody } from '../../../http/problem-details.js';
import { type Job, secondsLeft, shownState } from './job.js';

export const jobPath = ({ site, id }: Pick<Job, 'site' | 'id'>): string => `/v1/sites/${site}/jobs/${id}`;

/** Between two looks at a job that is not over. */
export const POLL_SECONDS = 2;

export function jobDocument(job: Job): object {
  const state = shownState(job);
  const { rows, rowsExpected, share } = job.progress;
  return {
    id: job.id,
    kind: job.kind,
    state,
    request: askedOf(job),
    progress: { rows, rows_expected: rowsExpected, share, seconds_left: secondsLeft(job) },
    created_at: job.createdAt.toISOString(),
    started_at: job.startedAt?.toISOString() ?? null,
    finished_at: job.finishedAt?.toISOString() ?? null,
    expires_at: job.expiresAt?.toISOString() ?? null,
    ...(state === 'failed' && job.problem && { problem: problemBody(job.problem) }),
    ...(state === 'done' && {
      result: {
        href: `${jobPath(job)}/result`,
        bytes: job.bytes,
        rows: job.progress.rows,
        content_type: job.contentType,
        sha256: job.sha256,
        ...(job.about === null ? {} : (JSON.parse(job.about) as object)),
      },
    }),
  };
}

/** Of what a kind keeps, that which the client asked for. */
const askedOf = ({ request }: Job): unknown => (JSON.parse(request) as { readonly asked: unknown }).asked;
