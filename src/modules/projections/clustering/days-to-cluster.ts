// Which days of a table of facts are to be clustered: those that are over, newest first, as they are asked
// about most. Pure.

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** After its end most of what comes late has come, and most sessions that cross midnight are over. */
const GRACE_MS = HOUR_MS;

export interface KnownDays {
  /** Epoch ms: when the months began (in UTC) that the table holds. What it holds from before all months is thin: left out. */
  readonly months: readonly number[];
  /** Epoch ms: days (in UTC) that have been clustered. */
  readonly clustered: ReadonlySet<number>;
  /** Epoch ms: what came before it was written in order; −∞ where nothing was. */
  readonly orderedUntil: number;
}

export function daysToCluster({ months, clustered, orderedUntil }: KnownDays, now: number): number[] {
  return months
    .flatMap(daysOfMonth)
    .filter((day) => day + DAY_MS + GRACE_MS <= now && day + DAY_MS > orderedUntil && !clustered.has(day))
    .sort((a, b) => b - a);
}

function daysOfMonth(month: number): number[] {
  const date = new Date(month);
  if (date.getUTCDate() !== 1) return [];
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  return Array.from({ length: (next - month) / DAY_MS }, (_, day) => month + day * DAY_MS);
}
