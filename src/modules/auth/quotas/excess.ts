// The times in which a merchant was over its quota and was not refused: what was hidden of them, or sampled. Each is fixed
// by an event when it begins, in whole hours of UTC and up to the end of the month, and ends early once more is allowed:
// what was hidden is then shown, what was not taken is missing for good. Pure.
import type { QuotaPolicy } from '../../../events/quota.events.js';
import { endOfMonth, type Month } from './usage-month.js';

const HOUR_MS = 3_600_000;
/** By then every intake process knows of it that more is allowed. */
const KNOWN_AFTER_MS = 60_000;

export type ExcessPolicy = Exclude<QuotaPolicy, 'refuse'>;

export interface Excess {
  readonly policy: ExcessPolicy;
  readonly month: Month;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Of the visitors, that are taken; null: all are. */
  readonly samplePercent: number | null;
  /** Quota and grace that were used up. */
  readonly eventsMax: number;
}

/**
 * Null: the month is as good as over. Hidden is from the next hour on, so that nothing is that came while there was quota
 * left; sampled from the hour that has begun, so that none is called complete of which something may be missing.
 */
export function excessAt(
  nowMs: number,
  { policy, month, samplePercent, eventsMax }: Omit<Excess, 'from' | 'to'>,
): Excess | null {
  const to = endOfMonth(month);
  const from = (policy === 'hide' ? Math.ceil(nowMs / HOUR_MS) : Math.floor(nowMs / HOUR_MS)) * HOUR_MS;
  return from < to ? { policy, month, from, to, samplePercent, eventsMax } : null;
}

/** Another quota holds from now on. */
export function excessesUnder(
  excesses: readonly Excess[],
  { eventsMax, policy }: { readonly eventsMax: number; readonly policy: QuotaPolicy },
  nowMs: number,
): readonly Excess[] {
  return excesses.flatMap((excess) => {
    const isRaised = eventsMax > excess.eventsMax;
    if (isRaised && excess.policy === 'hide') return [];
    if (!isRaised && policy === excess.policy) return [excess];
    const endsBy = Math.ceil((nowMs + KNOWN_AFTER_MS) / HOUR_MS) * HOUR_MS;
    const to = Math.min(excess.to, endsBy);
    return excess.from < to ? [{ ...excess, to }] : [];
  });
}

/** Undefined: there is none of them at that moment. */
export const excessDuring = (excesses: readonly Excess[], atMs: number, policy: ExcessPolicy) =>
  excesses.findLast((one) => one.policy === policy && one.from <= atMs && atMs < one.to);

/** Whether it goes on till the month ends. */
export const isOpen = ({ month, to }: Excess): boolean => to === endOfMonth(month);
