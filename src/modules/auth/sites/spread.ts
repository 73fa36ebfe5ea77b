// Over how many partitions of the tracking log a site's events are spread, and since when. By the
// time of the event, not of its arrival: late events and retries go where their session is, and a
// change cuts only the sessions open at that moment. Pure.

export interface SpreadPeriod {
  /** Epoch ms. */
  readonly from: number;
  readonly spread: number;
}

/** By then every node that receives events knows of a change. */
const ANNOUNCED_MS = 60_000;
const PERIODS_MAX = 100;

/** One object for all sites that were never spread: almost all. */
const NEVER_SPREAD: readonly SpreadPeriod[] = [{ from: Number.NEGATIVE_INFINITY, spread: 1 }];

export const spreadFromStart = (spread: number): readonly SpreadPeriod[] =>
  spread === 1 ? NEVER_SPREAD : [{ from: Number.NEGATIVE_INFINITY, spread }];

export const spreadFromNow = (
  periods: readonly SpreadPeriod[],
  { spread, now }: { readonly spread: number; readonly now: Date },
): readonly SpreadPeriod[] =>
  [...periods, { from: now.getTime() + ANNOUNCED_MS, spread }].slice(-PERIODS_MAX);

/** @param time epoch ms of an event */
export const spreadAt = (periods: readonly SpreadPeriod[], time: number): number =>
  (periods.findLast(({ from }) => from <= time) ?? periods[0]!).spread;
