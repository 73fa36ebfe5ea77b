// How many events a merchant may send in a month, of what it was warned, and when it was over: what its quota's stream
// folds to, and what is decided upon it. Pure.
import type { QuotaEvent, QuotaPolicy } from '../../../events/quota.events.js';
import type { Fold } from '../aggregate.js';
import { type Excess, excessAt, excessesUnder, isOpen } from './excess.js';
import type { Month } from './usage-month.js';

const WARNED_AT_PERCENT = 80;
/** Where a quota was set that does not say it. */
export const SAMPLE_PERCENT = 10;

export interface Quota {
  /** Null: no limit. */
  readonly eventsPerMonth: number | null;
  readonly gracePercent: number;
  readonly policy: QuotaPolicy;
  /** Of the visitors, that `sample` takes beyond quota and grace. */
  readonly samplePercent: number;
}

export interface QuotaState {
  /** Undefined: the installation's default holds. */
  readonly quota: Quota | undefined;
  readonly warned: { readonly month: Month; readonly percent: number } | undefined;
  /** The times in which something was hidden, and still is, or not taken. In order. */
  readonly excesses: readonly Excess[];
  /** Nothing more of it is to be hidden. */
  readonly revealed: Month | undefined;
}

/** What a merchant has sent in a month, of all its sites. */
export interface Usage {
  readonly merchant: string;
  readonly month: Month;
  readonly events: number;
}

export const quotaStream = (merchant: string): string => `quota-${merchant}`;

export const quotaFold: Fold<QuotaState> = {
  initial: { quota: undefined, warned: undefined, excesses: [], revealed: undefined },
  evolve: (state, recorded): QuotaState => {
    const event = recorded as unknown as QuotaEvent;
    switch (event.type) {
      case 'QuotaSet': {
        const { merchant: _, ...data } = event.data;
        const quota = { samplePercent: SAMPLE_PERCENT, ...data };
        return { ...reachedAnew, quota, excesses: excessesAfter(state, quota, recorded) };
      }
      case 'QuotaRemoved':
        return { ...reachedAnew, quota: undefined, excesses: excessesAfter(state, event.data, recorded) };
      case 'QuotaWarned':
        return { ...state, warned: { month: event.data.month, percent: event.data.percent } };
      case 'QuotaExceeded': {
        const { merchant: _, events: __, ...data } = event.data;
        const excess = { ...data, from: Date.parse(data.from), to: Date.parse(data.to) };
        return { ...state, excesses: [...state.excesses, excess] };
      }
      case 'QuotaRevealed':
        return {
          ...state,
          revealed: event.data.month,
          excesses: state.excesses.filter(
            ({ month, policy }) => month !== event.data.month || policy !== 'hide',
          ),
        };
      default:
        return state;
    }
  },
};

const reachedAnew = { warned: undefined, revealed: undefined };

const excessesAfter = (
  { excesses }: QuotaState,
  quota: Pick<Quota, 'eventsPerMonth' | 'gracePercent' | 'policy'>,
  { recordedAt }: { readonly recordedAt: Date },
): readonly Excess[] =>
  excesses.length === 0
    ? excesses
    : excessesUnder(
        excesses,
        { eventsMax: eventsMax(quota), policy: quota.policy },
        new Date(recordedAt).getTime(),
      );

/** From how many events on the policy holds. */
export const eventsMax = ({
  eventsPerMonth,
  gracePercent,
}: Pick<Quota, 'eventsPerMonth' | 'gracePercent'>): number =>
  eventsPerMonth === null ? Infinity : Math.floor((eventsPerMonth * (100 + gracePercent)) / 100);

/** Null: it is so already. */
export function setQuota(state: QuotaState, merchant: string, quota: Quota): QuotaEvent | null {
  const { quota: before } = state;
  const isSame =
    before?.eventsPerMonth === quota.eventsPerMonth &&
    before.gracePercent === quota.gracePercent &&
    before.policy === quota.policy &&
    before.samplePercent === quota.samplePercent;
  return isSame ? null : { type: 'QuotaSet', data: { merchant, ...quota } };
}

/** @param standard holds from then on. Null: it does already. */
export function removeQuota(state: QuotaState, merchant: string, standard: Quota): QuotaEvent | null {
  if (state.quota === undefined) return null;
  const { eventsPerMonth, gracePercent, policy } = standard;
  return { type: 'QuotaRemoved', data: { merchant, eventsPerMonth, gracePercent, policy } };
}

/** Null: nothing of the month is hidden. */
export function revealMonth({ excesses }: QuotaState, merchant: string, month: Month): QuotaEvent | null {
  const isHidden = excesses.some((one) => one.month === month && one.policy === 'hide');
  return isHidden ? { type: 'QuotaRevealed', data: { merchant, month } } : null;
}

/** Null: it is not over, or is refused, or that it is over is known. */
export function exceedOf(
  { excesses, revealed }: QuotaState,
  quota: Quota,
  { merchant, month, events, nowMs }: Usage & { readonly nowMs: number },
): QuotaEvent | null {
  const { policy } = quota;
  if (policy === 'refuse' || events < eventsMax(quota)) return null;
  if (policy === 'hide' && revealed === month) return null;
  if (excesses.some((one) => one.month === month && one.policy === policy && isOpen(one))) return null;
  const samplePercent = policy === 'sample' ? quota.samplePercent : null;
  const excess = excessAt(nowMs, { policy, month, samplePercent, eventsMax: eventsMax(quota) });
  if (excess === null || excess.to <= nowMs) return null;
  const [from, to] = [excess.from, excess.to].map((at) => new Date(at).toISOString()) as [string, string];
  return { type: 'QuotaExceeded', data: { merchant, ...excess, from, to, events } };
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
