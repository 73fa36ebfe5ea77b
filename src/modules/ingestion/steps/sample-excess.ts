// What becomes of an event of a merchant that is over its quota and is not refused: of sampled visitors all is kept, of the
// others nothing, so that visits stay whole; what is hidden is kept like everything else, and counted.
import type { Excess } from '../../auth/quotas/excess.js';
import type { Draft } from '../draft.js';
import { NEXT, type Step, type Verdict } from '../verdict.js';

/** Undefined: the event is taken and shown. */
export type ExcessFor = (
  merchant: string,
  moments: { readonly occurredAt: number; readonly receivedAt: number },
) => Excess | undefined;

const NOT_SAMPLED: Verdict = { verdict: 'dropped', reason: 'quota_sampled' };
/** Of the visitor's id, which is a hash. */
const LAST_DIGITS = 4;
const VALUES = 16 ** LAST_DIGITS;

export const sampleExcess =
  (excessFor: ExcessFor): Step<Draft> =>
  (draft) => {
    const { merchant, event } = draft;
    const excess = excessFor(merchant, event);
    if (excess === undefined) return NEXT;
    if (excess.policy === 'hide') {
      draft.hiddenFrom = excess.from;
      return NEXT;
    }
    const isSampled = placeOf(event.visitor) * 100 < (excess.samplePercent ?? 100) * VALUES;
    return isSampled ? NEXT : NOT_SAMPLED;
  };

const placeOf = (visitor: string): number => Number.parseInt(visitor.slice(-LAST_DIGITS), 16);
