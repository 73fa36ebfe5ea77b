// What is said of native events, however they came: which are durable, or why none could be taken.
import { Problem } from '../../../http/problem.js';
import type { IntakeOutcome, Rejection } from '../intake.js';
import { tooMany, unavailable } from './refusals.js';

/** Where an input stands in the request. */
export type PathOf = (index: number) => string;

/** @throws Problem where nothing could be accepted. */
export function answerOf(outcome: IntakeOutcome, path: PathOf): string {
  if (outcome.outcome === 'unavailable') throw unavailable(outcome.reason);
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
