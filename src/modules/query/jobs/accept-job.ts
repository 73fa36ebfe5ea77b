// The answer 202 with a new job, and where to look how it is doing.
import type { FastifyReply } from 'fastify';
import type { Job } from './job.js';
import { jobDocument, jobPath, POLL_SECONDS } from './job-document.js';
import { PREFERENCE_APPLIED } from './prefer.js';

/**
 * Sets status and headers.
 * @param isPreferred the client asked for it with a header, and is told that it was heeded
 * @returns the body
 */
export function acceptJob(
  reply: FastifyReply,
  job: Job,
  { isPreferred }: { readonly isPreferred: boolean },
): object {
  void reply.status(202).headers({
    location: jobPath(job),
    'retry-after': POLL_SECONDS,
    'cache-control': 'no-store',
    ...(isPreferred && PREFERENCE_APPLIED),
  });
  return jobDocument(job);
}
