// By how much a metric may differ and still count as the same: an amount, or a share of what it is.

export interface Tolerance {
  readonly amount: number;
  /** Of the metric's value in a; 0.01 is one percent. */
  readonly share: number;
}

export const TOLERANCE = /^\d{1,12}(\.\d{1,6})?%?$/;

/** @param text matches `TOLERANCE` */
export function toleranceOf(text: string): Tolerance {
  if (!text.endsWith('%')) return { amount: Number(text), share: 0 };
  return { amount: 0, share: Number(text.slice(0, -1)) / 100 };
}
