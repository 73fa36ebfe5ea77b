// Shares as answers show them.
import { roundTiesToEven } from '../vocabulary/rounding.js';

/** Of the whole, in percent with two decimals, ties to even; of nothing: 0. */
export const percentOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : roundTiesToEven((part * 10_000) / whole) / 100;
