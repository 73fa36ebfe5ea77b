// From the date range of a request to a half-open interval of instants, in the site's time zone.
// Days are calendar days there: 23, 24 or 25 hours. Pure: the present arrives as an argument.
import { Temporal } from 'temporal-polyfill';

export const DATE_RANGE_FORMS =
  'day, 24h, 7d, 28d, 30d, 91d or another number of days, month, 6mo, 12mo or another number of months, year, all, or [from, to] as two dates or two date-times with offset';

/** Epoch milliseconds; `to` is excluded. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface RangeContext {
  /** IANA name of the site's time zone. */
  readonly zone: string;
  readonly now: number;
  /** The site's first session; null while it has none. */
  readonly earliest: number | null;
}

const UP_TO_NOW: readonly string[] = ['day', 'month', 'year', 'all'];

export type RangeOutcome =
  | { readonly outcome: 'resolved'; readonly range: Range }
  | { readonly outcome: 'refused'; readonly path: string; readonly reason: string };

export type DateRangeForm = string | readonly [string, string];

const KEYWORD = /^(day|24h|month|year|all|[1-9]\d{0,4}(d|mo))$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/;
const EARLIEST_YEAR = 1970;
const LATEST_YEAR = 2999;
const SECOND_MS = 1_000;
const DAY_MS = 24 * 3_600_000;

/** Whether it looks like a date range; whether such days exist is told by `resolveDateRange`. */
export function isDateRangeForm(form: unknown): form is DateRangeForm {
  return typeof form === 'string' ? KEYWORD.test(form) : isDateRangeEnds(form);
}

export function isDateRangeEnds(form: unknown): form is readonly [string, string] {
  if (!Array.isArray(form) || form.length !== 2) return false;
  return [DATE, DATE_TIME].some((pattern) =>
    form.every((end) => typeof end === 'string' && pattern.test(end)),
  );
}

export function resolveDateRange(form: DateRangeForm, context: RangeContext): RangeOutcome {
  const outcome = typeof form === 'string' ? ofKeyword(form, context) : ofEnds(form, context.zone);
  if (outcome.outcome === 'refused') return outcome;
  const { from, to } = outcome.range;
  if (from >= to) return refused('date_range', 'must end after it begins');
  const years = [from, to].map((instant) => new Date(instant).getUTCFullYear());
  if (years[0]! < EARLIEST_YEAR - 1 || years[1]! > LATEST_YEAR + 1) {
    return refused('date_range', `must lie between the years ${EARLIEST_YEAR} and ${LATEST_YEAR}`);
  }
  return outcome;
}

/** Start of a local day: where midnight does not exist, the first instant after it. */
export const startOfDay = (date: Temporal.PlainDate, zone: string): number =>
  date.toZonedDateTime(zone).epochMilliseconds;

export const localDateOf = (epochMs: number, zone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDate();

/** ISO 8601 with the site's offset at that instant. */
export function localTimestamp(epochMs: number, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMs)
    .toZonedDateTimeISO(zone)
    .toString({ timeZoneName: 'never', smallestUnit: epochMs % SECOND_MS === 0 ? 'second' : 'millisecond' });
}

/** Without the hours of today that are yet to come, where the range was named by a word. */
export function withoutFuture(range: Range, form: DateRangeForm, { zone, now }: RangeContext): Range {
  if (typeof form !== 'string' || !UP_TO_NOW.includes(form)) return range;
  const hour = Temporal.Instant.fromEpochMilliseconds(now)
    .toZonedDateTimeISO(zone)
    .round({ smallestUnit: 'hour', roundingMode: 'floor' });
  return { from: range.from, to: Math.min(range.to, hour.add({ hours: 1 }).epochMilliseconds) };
}

function ofKeyword(keyword: string, { zone, now, earliest }: RangeContext): RangeOutcome {
  if (keyword === '24h') {
    const to = Math.ceil(now / SECOND_MS) * SECOND_MS;
    return resolved({ from: to - DAY_MS, to });
  }
  const today = localDateOf(now, zone);
  const days = (first: Temporal.PlainDate, next: Temporal.PlainDate) =>
    resolved({ from: startOfDay(first, zone), to: startOfDay(next, zone) });
  const tomorrow = today.add({ days: 1 });
  const thisMonth = today.with({ day: 1 });
  switch (keyword) {
    case 'day':
      return days(today, tomorrow);
    case 'month':
      return days(thisMonth, tomorrow);
    case 'year':
      return days(today.with({ month: 1, day: 1 }), tomorrow);
    case 'all':
      return days(earlier(localDateOf(earliest ?? now, zone), today), tomorrow);
  }
  const count = Number.parseInt(keyword, 10);
  if (keyword.endsWith('mo')) return days(thisMonth.subtract({ months: count }), thisMonth);
  return days(today.subtract({ days: count }), today);
}

function ofEnds([from, to]: readonly [string, string], zone: string): RangeOutcome {
  const ends: number[] = [];
  for (const [index, text] of [from, to].entries()) {
    try {
      if (!DATE.test(text)) ends.push(Temporal.Instant.from(text).epochMilliseconds);
      else
        ends.push(
          startOfDay(Temporal.PlainDate.from(text, { overflow: 'reject' }).add({ days: index }), zone),
        );
    } catch {
      return refused(`date_range[${index}]`, `there is no ${text}`);
    }
  }
  return resolved({ from: ends[0]!, to: ends[1]! });
}

const earlier = (a: Temporal.PlainDate, b: Temporal.PlainDate): Temporal.PlainDate =>
  Temporal.PlainDate.compare(a, b) < 0 ? a : b;
const resolved = (range: Range): RangeOutcome => ({ outcome: 'resolved', range });
const refused = (path: string, reason: string): RangeOutcome => ({ outcome: 'refused', path, reason });
