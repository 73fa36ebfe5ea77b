// What is said of native events, however they came: how their sender stands with its limits, and which are durable, or
// why none could be taken.
import type { FastifyReply } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { rateHeaders } from '../../auth/limits/standing.js';
import type { IntakeOutcome, Rejection } from '../intake.js';
import { addressTooBusy, tooMany, unavailable } from './refusals.js';

/** Where an input stands in the request. */
export type PathOf = (index: number) => string;

export interface Asked {
  readonly reply: FastifyReply;
  readonly path: PathOf;
}

/** @throws Problem where nothing could be accepted. */
export function answerOf(outcome: IntakeOutcome, { reply, path }: Asked): string {
  if (outcome.outcome === 'unavailable') throw unavailable(outcome.reason);
  if (outcome.standing !== undefined) void reply.headers(rateHeaders(outcome.standing));
  if (outcome.outcome === 'held-off') throw addressTooBusy(outcome.standing);
  const { accepted, duplicates, dropped, rejected } = outcome;
  // What a site does not want was in order: its sender has nothing to mend, and no reason to send it again.
  const isInOrder = ({ reason }: Rejection) => reason === 'excluded';
  if (rejected.length > 0 && accepted + duplicates + dropped === 0 && !rejected.some(isInOrder)) {
    throw nothingAcceptable(rejected, path);
  }
  const droppedPart = dropped > 0 ? `,"dropped":${dropped}` : '';
  const rejectedPart = rejected.length > 0 ? JSON.stringify(rejected) : '[]';
  return `{"accepted":${accepted},"duplicates":${duplicates}${droppedPart},"rejected":${rejectedPart}}`;
}

function nothingAcceptable(rejected: readonly Rejection[], path: PathOf): Problem {
  if (rejected.every(({ reason }) => reason === 'site_unknown')) {
    return Problem.notFound('There is no such site, or the key is not good for it.');
  }
  if (rejected.every(({ reason }) => reason === 'origin_not_allowed')) {
    return Problem.forbidden('The site allows events with this key from pages of its own hosts only.');
  }
  if (rejected.every(({ retryAfterSeconds }) => retryAfterSeconds !== undefined)) return tooMany(rejected);
  return Problem.badRequest(
    'No event could be accepted: see errors.',
    rejected.map(({ index, reason, detail }) => ({ path: path(index), message: detail, index, reason })),
  );
}
