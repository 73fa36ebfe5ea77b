// The result of a job over HTTP: all of it or a range, streamed from the store piece by piece, with what a
// client needs to go on after a broken connection (RFC 9110 §13, §14). Bytes are sent as they are, never
// compressed on the way: a range of them means the same to everybody.
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { isKnown } from '../../../http/etag.js';
import { askedBytes } from './byte-range.js';
import { isOver, type Job, shownState } from './job.js';
import { POLL_SECONDS } from './job-document.js';
import type { ByteSpan, ResultStore } from './result-store.js';

const ETAG_CHARACTERS = 32;
const EXTENSIONS: readonly (readonly [string, string])[] = [
  ['application/x-ndjson', 'ndjson'],
  ['application/vnd.apache.parquet', 'parquet'],
  ['text/csv', 'csv'],
  ['application/json', 'json'],
];

type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** @throws Problem 409 or 410 where there is no result, or none any more */
export function sendResult(
  reply: FastifyReply,
  headers: RequestHeaders,
  { job, store }: { readonly job: Job; readonly store: ResultStore },
): void {
  refuseWithoutResult(job);
  const etag = `"${job.sha256!.slice(0, ETAG_CHARACTERS)}"`;
  const lastModified = job.finishedAt!;
  void reply.headers({
    etag,
    'last-modified': lastModified.toUTCString(),
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
  });
  if (isKnown(etag, headers['if-none-match'])) return void reply.status(304).send();
  const asked = askedBytes(headers, { bytes: job.bytes, etag, lastModified });
  if (asked.outcome === 'unsatisfiable') {
    void reply.header('content-range', `bytes */${job.bytes}`);
    throw new Problem({
      status: 416,
      type: 'range-not-satisfiable',
      title: 'There are no such bytes',
      detail: `The result has ${job.bytes} bytes.`,
    });
  }
  const span: ByteSpan = asked.outcome === 'all' ? { from: 0, to: job.bytes } : asked.span;
  void reply.headers({
    'content-type': job.contentType!,
    'content-length': span.to - span.from,
    'content-disposition': `attachment; filename="${job.id}.${extensionOf(job)}"`,
    'repr-digest': `sha-256=:${Buffer.from(job.sha256!, 'hex').toString('base64')}:`,
  });
  if (asked.outcome === 'part') {
    void reply.status(206).header('content-range', `bytes ${span.from}-${span.to - 1}/${job.bytes}`);
  }
  // HEAD comes here too, and wants to read nothing.
  const isHead = reply.request.method === 'HEAD';
  void reply.send(isHead ? Readable.from([]) : Readable.from(store.read(job, span), { objectMode: false }));
}

function refuseWithoutResult(job: Job): void {
  const state = shownState(job);
  if (state === 'done') return;
  if (state === 'expired') {
    throw new Problem({
      status: 410,
      type: 'result-expired',
      title: 'The result is gone',
      detail: `It could be fetched until ${job.expiresAt!.toISOString()}: ask again.`,
    });
  }
  throw new Problem({
    status: 409,
    type: 'job-not-done',
    title: 'There is no result',
    detail: isOver(job)
      ? `The job was ${state === 'failed' ? 'not finished' : 'cancelled'}.`
      : `The job is ${state}.`,
    ...(!isOver(job) && { retryAfterSeconds: POLL_SECONDS }),
  });
}

const extensionOf = ({ contentType }: Job): string =>
  EXTENSIONS.find(([type]) => contentType!.startsWith(type))?.[1] ?? 'bin';
