// Why a whole request is to be sent again later, as problems: of every wire format, in words or in the form of its own.
import { ofStatus } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import type { UnavailableReason } from '../ingestion.telemetry.js';
import type { Rejection } from '../intake.js';

/** Until the first of them would be taken. */
export function tooMany(rejected: readonly Rejection[]): Problem {
  const retryAfterSeconds = Math.min(...rejected.map((one) => one.retryAfterSeconds!));
  const isQuota = rejected.every(({ reason }) => reason === 'quota_exceeded');
  if (!isQuota) {
    const detail = `More events of this site arrive than it may send. Try again in ${retryAfterSeconds} s.`;
    return new Problem({ ...ofStatus(429, detail), retryAfterSeconds });
  }
  return new Problem({
    ...{ status: 429, type: 'quota-exceeded', title: "The month's quota is used up", retryAfterSeconds },
    detail: 'The merchant has sent as many events as it may in this month: ask the operator for more.',
  });
}

const UNAVAILABLE: Record<UnavailableReason, readonly [detail: string, retryAfterSeconds: number]> = {
  overloaded: ['More events arrive than can be stored. Send the same again later.', 2],
  salt_unavailable: ['Visitors cannot be told apart at the moment. Send the same again later.', 10],
  batch_too_large: ['The events could not be stored together. Send fewer at a time.', 2],
  log_full: ['The tracking log is full. Send the same again later.', 60],
  log_unavailable: ['The tracking log does not answer. Send the same again later.', 5],
};

export const unavailable = (reason: UnavailableReason): Problem =>
  Problem.unavailable(...UNAVAILABLE[reason]);
