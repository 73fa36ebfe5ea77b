// How a metric changed from one range to another, in the number that people read: percent, or points
// where the metric is a rate already.
import type { MetricValue } from './vocabulary/metrics.js';
import { roundTiesToEven } from './vocabulary/rounding.js';

const IN_POINTS: readonly string[] = ['bounce_rate', 'conversion_rate', 'group_conversion_rate'];
/** No metric has more decimals: differences of whole numbers are exact, and so are their ties. */
const THOUSANDTHS = 1_000;

/** Whole percent or points; null where one of the two is unknown, or in another currency. */
export function changeOf(metric: string, before: MetricValue, now: MetricValue): number | null {
  const [from, to] = [thousandthsOf(before), thousandthsOf(now)];
  if (from === null || to === null || currencyOf(before) !== currencyOf(now)) return null;
  if (IN_POINTS.includes(metric)) return (to - from) / THOUSANDTHS;
  if (from === to) return 0;
  if (from === 0) return 100;
  return roundTiesToEven(((to - from) * 100) / from);
}

function thousandthsOf(value: MetricValue): number | null {
  const number = typeof value === 'object' ? (value?.value ?? null) : value;
  return number === null ? null : Math.round(number * THOUSANDTHS);
}
const currencyOf = (value: MetricValue): string | undefined =>
  typeof value === 'object' ? value?.currency : undefined;
