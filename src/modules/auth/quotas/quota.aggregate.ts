// How many events a merchant may send in a month, and of what it was warned: what its quota's stream folds to, and
// what is decided upon it. Pure.
import type { QuotaEvent, QuotaPolicy } from '../../../events/quota.events.js';
import type { Fold } from '../aggregate.js';
import type { Month } from './usage-month.js';

const WARNED_AT_PERCENT = 80;

export interface Quota {
  /** Null: no limit. */
  readonly eventsPerMonth: number | null;
  readonly gracePercent: number;
  readonly policy: QuotaPolicy;
}

export interface QuotaState {
  /** Undefined: the installation's default holds. */
  readonly quota: Quota | undefined;
  readonly warned: { readonly month: Month; readonly percent: number } | undefined;
}

/** What a merchant has sent in a month, of all its sites. */
export interface Usage {
  readonly merchant: string;
  readonly month: Month;
  readonly events: number;
}

export const quotaStream = (merchant: string): string => `quota-${merchant}`;

export const quotaFold: Fold<QuotaState> = {
  initial: { quota: undefined, warned: undefined },
  evolve: (state, recorded) => {
    const event = recorded as unknown as QuotaEvent;
    switch (event.type) {
      case 'QuotaSet': {
        const { merchant: _, ...quota } = event.data;
        // Another quota is reached anew.
        return { quota, warned: undefined };
      }
      case 'QuotaWarned':
        return { ...state, warned: { month: event.data.month, percent: event.data.percent } };
      default:
        return state;
    }
  },
};

/** From how many events on none is taken any more. */
export const eventsMax = ({ eventsPerMonth, gracePercent }: Quota): number =>
  eventsPerMonth === null ? Infinity : Math.floor((eventsPerMonth * (100 + gracePercent)) / 100);

/** Null: it is so already. */
export function setQuota(state: QuotaState, merchant: string, quota: Quota): QuotaEvent | null {
  const { quota: before } = state;
  const isSame =
    before?.eventsPerMonth === quota.eventsPerMonth &&
    before.gracePercent === quota.gracePercent &&
    before.policy === quota.policy;
  return isSame ? null : { type: 'QuotaSet', data: { merchant, ...quota } };
}

/** Null: nothing was reached of which nobody warned yet. Who is far beyond at once is warned once. */
export function warnOf(
  state: QuotaState,
  quota: Quota,
  { merchant, month, events }: Usage,
): QuotaEvent | null {
  const { eventsPerMonth } = quota;
  if (eventsPerMonth === null) return null;
  const percent = [100 + quota.gracePercent, 100, WARNED_AT_PERCENT].find(
    (one) => events * 100 >= eventsPerMonth * one,
  );
  if (percent === undefined) return null;
  const { warned } = state;
  // Months in order: a node whose clock is behind warns of none that is over.
  const isTold =
    warned !== undefined && (warned.month > month || (warned.month === month && warned.percent >= percent));
  return isTold ? null : { type: 'QuotaWarned', data: { merchant, month, percent, events, eventsPerMonth } };
}
