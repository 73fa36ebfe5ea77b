// What a range is compared with, and how a number changed since.
import { addDays, addMonths, DAY_MS, midnight, wallDate, wallMs, weekday } from './local-time.js';
import { type MetricValue, nearest } from './metrics.js';
import { type Moment, type Span, spanOf } from './ranges.js';

interface Comparing {
  readonly date_range: string | readonly [string, string];
  readonly include?: Readonly<Record<string, unknown>>;
}

export function comparedSpan(
  span: Span,
  { date_range, include = {} }: Comparing,
  moment: Moment,
): Span | null {
  const compare = include.compare as string | readonly [string, string] | undefined;
  if (compare === undefined) return null;
  if (typeof compare !== 'string') return spanOf(compare, moment);
  const { zone } = moment;
  const matched = include.compare_match_day_of_week === true;
  const first = wallDate(span.from, zone);
  const last = wallDate(span.to - 1, zone);
  const wholeDays = midnight(first, zone) === span.from && midnight(addDays(last, 1), zone) === span.to;
  const daysBack = Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;
  const back = (date: string) =>
    compare === 'year_over_year' ? addMonths(date, -12) : addDays(date, -daysBack);
  const shift = matched ? toWeekday(first, back(first)) : 0;
  const other = (date: string) => addDays(back(date), shift);
  if (wholeDays) return { from: midnight(other(first), zone), to: midnight(addDays(other(last), 1), zone) };
  const ofDays = typeof date_range === 'string' && midnight(first, zone) === span.from;
  if (compare === 'previous_period' && !ofDays && !matched) {
    return { from: 2 * span.from - span.to, to: span.from };
  }
  const beyond = wallDate(span.to, zone);
  const daysOver = Math.round((Date.parse(beyond) - Date.parse(last)) / DAY_MS);
  return {
    from: atWall(other(first), span.from, zone),
    to: atWall(addDays(other(last), daysOver), span.to, zone),
  };
}

/** Days to the nearest day that has the weekday of `first`, and is another day. */
function toWeekday(first: string, compared: string): number {
  const near = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7];
  return near.find((days) => {
    const date = addDays(compared, days);
    return weekday(date) === weekday(first) && date !== first;
  })!;
}

/** When the wall shows on that date what it shows at the instant; what it skips, it shows as much later. */
function atWall(date: string, instant: number, zone: string): number {
  const wanted = Date.parse(date) + (((wallMs(instant, zone) % DAY_MS) + DAY_MS) % DAY_MS);
  const offsets = [wanted - DAY_MS, wanted + DAY_MS].map((at) => wallMs(at, zone) - at);
  const found = offsets.map((offset) => wanted - offset).filter((at) => wallMs(at, zone) === wanted);
  return found.length > 0 ? Math.min(...found) : wanted - offsets[0]!;
}

const IN_POINTS = ['bounce_rate', 'conversion_rate', 'group_conversion_rate'];

/** Whole percent, ties to even; points of rates. */
export function changeOf(name: string, before: MetricValue, now: MetricValue): number | null {
  const [from, to] = [thousandths(before), thousandths(now)];
  if (from === null || to === null || currencyOf(before) !== currencyOf(now)) return null;
  if (IN_POINTS.includes(name)) return Number(to - from) / 1000;
  if (from === 0n) return to === 0n ? 0 : 100;
  const sign = from < 0n ? -1n : 1n;
  return Number(nearest(sign * (to - from) * 100n, sign * from));
}

function thousandths(value: MetricValue): bigint | null {
  const number = typeof value === 'object' ? (value?.value ?? null) : value;
  return number === null ? null : BigInt(Math.round(number * 1000));
}

const currencyOf = (value: MetricValue): string | null =>
  typeof value === 'object' ? (value?.currency ?? null) : null;
