// The months by which events are counted: of UTC, by when an event was received. Pure.

/** `2026-11`. */
export type Month = string;

export const monthOf = (atMs: number): Month => new Date(atMs).toISOString().slice(0, 7);

/** When the next one begins. */
export function endOfMonth(month: Month): number {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return Date.UTC(year, number, 1);
}

/** The month of one moment after the other, without making a date of each. */
export class Calendar {
  #month: Month = '';
  #fromMs = 0;
  #endMs = 0;

  monthOf(atMs: number): Month {
    if (atMs >= this.#fromMs && atMs < this.#endMs) return this.#month;
    this.#month = monthOf(atMs);
    this.#fromMs = Date.parse(`${this.#month}-01T00:00:00Z`);
    this.#endMs = endOfMonth(this.#month);
    return this.#month;
  }
}
