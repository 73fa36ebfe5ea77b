// Every way a request can fail, as one RFC 9457 description. Pure, so that each case is a line in
// the spec. What is not known here becomes a 500 that tells the client nothing about the inside.
import { HttpException } from '@nestjs/common';
import { Problem, type ProblemOptions } from './problem.js';

const BY_STATUS: Readonly<Record<number, Pick<ProblemOptions, 'type' | 'title'>>> = {
  400: { type: 'invalid-request', title: 'The request is invalid' },
  401: { type: 'unauthorized', title: 'No valid key was given' },
  403: { type: 'forbidden', title: 'The key does not allow this' },
  404: { type: 'not-found', title: 'There is no such thing' },
  405: { type: 'method-not-allowed', title: 'The path does not take this method' },
  406: { type: 'not-acceptable', title: 'No such representation' },
  408: { type: 'timeout', title: 'The request took too long to arrive' },
  409: { type: 'conflict', title: 'The state has changed' },
  412: { type: 'precondition-failed', title: 'The state has changed' },
  413: { type: 'too-large', title: 'The request is too large' },
  414: { type: 'url-too-long', title: 'The URL is too long' },
  415: { type: 'unsupported-media-type', title: 'The body is of a kind that is not read here' },
  422: { type: 'too-costly', title: 'The request cannot be carried out' },
  429: { type: 'too-many-requests', title: 'Too many requests' },
  431: { type: 'headers-too-large', title: 'The request headers are too large' },
  500: { type: 'internal', title: 'Something is wrong on our side' },
  503: { type: 'unavailable', title: 'Temporarily unavailable' },
};

const RETRY_AFTER_SECONDS = 2;

/** SQLSTATEs and socket errors that say the database is away, not that a query is wrong. */
const DATABASE_AWAY = /^(08...|57P0[1-5]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/;

/** The same, from the client library, which gives these no code. */
const CONNECTION_LOST = /^(Connection terminated|timeout exceeded when trying to connect)/;

export function problemOf(error: unknown): ProblemOptions {
  if (error instanceof Problem) return error.options;
  if (error instanceof HttpException) return ofStatus(error.getStatus(), detailOf(error));
  const { statusCode, code, message } = (error ?? {}) as {
    statusCode?: unknown;
    code?: unknown;
    message?: string;
  };
  // Errors of Fastify and of its parsers: their texts are meant for clients.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return ofStatus(statusCode, message);
  }
  if ((typeof code === 'string' && DATABASE_AWAY.test(code)) || CONNECTION_LOST.test(message ?? '')) {
    return ofStatus(503, 'The database does not answer at the moment. Try again.');
  }
  return ofStatus(500);
}

/** What the client reads, as the body of `application/problem+json`. */
export function problemBody(problem: ProblemOptions): Record<string, unknown> {
  const { type, title, status, detail, errors } = problem;
  return { type: `/problems/${type}`, title, status, ...(detail && { detail }), ...(errors && { errors }) };
}

export function ofStatus(status: number, detail?: string): ProblemOptions {
  const known = BY_STATUS[status] ?? (status < 500 ? BY_STATUS[400]! : BY_STATUS[500]!);
  const busy = status === 429 || status === 503;
  return {
    status,
    ...known,
    ...(detail && { detail }),
    ...(busy && { retryAfterSeconds: RETRY_AFTER_SECONDS }),
  };
}

function detailOf(exception: HttpException): string | undefined {
  // Nest says nothing of use in its own 5xx, and might say too much.
  if (exception.getStatus() >= 500) return undefined;
  const response = exception.getResponse();
  if (typeof response === 'string') return response;
  const { message } = response as { message?: string | readonly string[] };
  return Array.isArray(message) ? message.join('; ') : (message as string | undefined);
}
