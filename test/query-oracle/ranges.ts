// From a request's words for time to instants: date ranges and their buckets, found by looking at the
// wall's clock step by step.
import {
  addDays,
  addMonths,
  DAY_MS,
  midnight,
  MINUTE_MS,
  QUARTER_MS,
  wallDate,
  wallMinute,
  wallMs,
  weekday,
} from './local-time.js';

/** Epoch milliseconds, `to` excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Bucket extends Span {
  readonly label: string;
}

export interface Moment {
  readonly zone: string;
  readonly now: number;
  /** The site's first session. */
  readonly earliest: number;
  /** The site's, for requests that do not say. */
  readonly weekStart: WeekStart;
}

const SECOND_MS = 1_000;

export function spanOf(range: string | readonly [string, string], { zone, now, earliest }: Moment): Span {
  const days = (first: string, beyond: string): Span => ({
    from: midnight(first, zone),
    to: midnight(beyond, zone),
  });
  if (typeof range !== 'string') {
    const [from, to] = range;
    if (from.includes('T')) return { from: Date.parse(from), to: Date.parse(to) };
    return days(from, addDays(to, 1));
  }
  const today = wallDate(now, zone);
  const month = `${today.slice(0, 7)}-01`;
  const tomorrow = addDays(today, 1);
  if (range === 'day') return days(today, tomorrow);
  if (range === 'month') return days(month, tomorrow);
  if (range === 'year') return days(`${today.slice(0, 4)}-01-01`, tomorrow);
  if (range === 'all') return days(wallDate(earliest, zone), tomorrow);
  if (range === '24h') {
    const second = Math.ceil(now / SECOND_MS) * SECOND_MS;
    return { from: second - DAY_MS, to: second };
  }
  const count = Number.parseInt(range, 10);
  return range.endsWith('mo') ? days(addMonths(month, -count), month) : days(addDays(today, -count), today);
}

const UP_TO_NOW = ['day', 'month', 'year', 'all'];

/** Ends with the present hour where that is asked for. */
export function trimmed(
  span: Span,
  { date_range: range, include = {} }: Trimming,
  { zone, now }: Moment,
): Span {
  if (include.trim_relative_date_range !== true || !UP_TO_NOW.includes(range as string)) return span;
  const hour = 3_600_000;
  const intoHour = ((wallMs(now, zone) % hour) + hour) % hour;
  return { from: span.from, to: Math.min(span.to, now - intoHour + hour) };
}

interface Trimming {
  readonly date_range: string | readonly [string, string];
  readonly include?: Readonly<Record<string, unknown>>;
}

/** What `time` stands for. */
export function granularityOf({ from, to }: Span, zone: string): string {
  const hours = (wallMs(to, zone) - wallMs(from, zone)) / 3_600_000;
  if (hours <= 48) return 'time:hour';
  if (hours <= 40 * 24) return 'time:day';
  return hours <= 52 * 7 * 24 ? 'time:week' : 'time:month';
}

/** How many days after such a day the next Sunday is. */
const DAYS_AFTER = { monday: 6, sunday: 0, saturday: 1 } as const;
export type WeekStart = keyof typeof DAYS_AFTER;

export interface Cut extends Span {
  readonly zone: string;
  readonly time: string;
  readonly weekStart: WeekStart;
}

/** A bucket lasts until the wall shows a later one for the first time: clocks that go back change nothing. */
export function bucketsOf(cut: Cut): readonly Bucket[] {
  const { from, to, time } = cut;
  const stepMs = time === 'time:minute' ? MINUTE_MS : QUARTER_MS;
  const labelAt = labeller(cut);
  const starts: { readonly label: string; readonly from: number }[] = [];
  for (let at = from - (from % stepMs); at < to; at += stepMs) {
    const label = labelAt(at);
    const latest = starts.at(-1);
    // Minutes that a clock shows twice are told apart, since other minutes lie between them.
    const begins = time === 'time:minute' || latest === undefined || label > latest.label;
    if (begins) starts.push({ label, from: Math.max(at, from) });
  }
  return starts.map((start, index) => ({ ...start, to: starts[index + 1]?.from ?? to }));
}

function labeller({ from, zone, time, weekStart }: Cut): (at: number) => string {
  const first = wallDate(from, zone);
  switch (time) {
    case 'time:minute':
      return (at) => `${wallMinute(at, zone).replace('T', ' ')}:00`;
    case 'time:hour':
      return (at) => `${wallMinute(at, zone).slice(0, 13).replace('T', ' ')}:00:00`;
    case 'time:day':
      return (at) => wallDate(at, zone);
    case 'time:month':
      return (at) => `${wallDate(at, zone).slice(0, 7)}-01`;
    case 'time:year':
      return (at) => `${wallDate(at, zone).slice(0, 4)}-01-01`;
  }
  return (at) => {
    const date = wallDate(at, zone);
    const begins = addDays(date, -((weekday(date) + DAYS_AFTER[weekStart]) % 7));
    return begins < first ? first : begins;
  };
}
