// GA4's many time dimensions as labels of one native one. A report has buckets of one size: the finest
// that a dimension asks for, and each dimension is read off a bucket's label. Pure.
import { Temporal } from 'temporal-polyfill';

export const GRANULES = ['minute', 'hour', 'day', 'sunday-week', 'monday-week', 'month', 'year'] as const;
export type Granule = (typeof GRANULES)[number];

/** The native request for buckets of that size. */
export const NATIVE_TIME: Readonly<
  Record<Granule, { readonly dimension: string; readonly weekStart?: 'sunday' | 'monday' }>
> = {
  minute: { dimension: 'time:minute' },
  hour: { dimension: 'time:hour' },
  day: { dimension: 'time:day' },
  'sunday-week': { dimension: 'time:week', weekStart: 'sunday' },
  'monday-week': { dimension: 'time:week', weekStart: 'monday' },
  month: { dimension: 'time:month' },
  year: { dimension: 'time:year' },
};

/** What can be read off the labels of buckets of a size, coarsest last. */
const READABLE: Readonly<Record<Granule, readonly Granule[]>> = {
  minute: GRANULES,
  hour: GRANULES.slice(1),
  day: GRANULES.slice(2),
  // A week that a year's end cuts is refused, see `hasTornWeek`.
  'sunday-week': ['sunday-week', 'year'],
  'monday-week': ['monday-week'],
  month: ['month', 'year'],
  year: ['year'],
};

/** The size of which all can be read; undefined: some cut others in two. */
export function granuleFor(asked: readonly Granule[]): Granule | undefined {
  return asked.find((granule) => asked.every((other) => READABLE[granule].includes(other)));
}

/** A bucket's label, taken apart. */
export interface Bucket {
  readonly date: Temporal.PlainDate;
  /** HH and MM; 00 where the bucket is no shorter than a day. */
  readonly hour: string;
  readonly minute: string;
  readonly label: string;
}

/** What the range knows that the label does not say. */
export interface LabelContext {
  /** The first day. */
  readonly from: Temporal.PlainDate;
  /** The last day. */
  readonly to: Temporal.PlainDate;
  /** By label of a minute. Empty but in realtime reports. */
  readonly minutesAgo: ReadonlyMap<string, number>;
}

export type TimeFormat = (bucket: Bucket, context: LabelContext) => string;

/** `2026-11-01`, `2026-11-01 14:00:00` */
export function bucketOf(label: string): Bucket {
  return {
    date: Temporal.PlainDate.from(label.slice(0, 10)),
    hour: label.slice(11, 13) || '00',
    minute: label.slice(14, 16) || '00',
    label,
  };
}

/** Whether a week from Sunday to Saturday has days of two years; GA4 gives each year its own part. */
export function hasTornWeek({ from, to }: LabelContext): boolean {
  for (let { year } = from; year < to.year; year++) {
    if (Temporal.PlainDate.from({ year, month: 12, day: 31 }).dayOfWeek !== SATURDAY) return true;
  }
  return false;
}

const SATURDAY = 6;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Those that order and tell apart the buckets of their own size as the native labels do. */
export const ORDERED: ReadonlySet<string> = new Set([
  ...['dateHourMinute', 'dateHour', 'date', 'yearWeek', 'isoYearIsoWeek', 'yearMonth', 'year'],
  ...['nthDay', 'nthMonth'],
]);

const digits = (value: number, count: number): string => String(value).padStart(count, '0');
const year = ({ date }: Bucket) => digits(date.year, 4);
const month = ({ date }: Bucket) => digits(date.month, 2);
const day = ({ date }: Bucket) => digits(date.day, 2);
const ymd = (bucket: Bucket) => year(bucket) + month(bucket) + day(bucket);
/** 0 is Sunday. */
const weekday = ({ date }: Bucket) => date.dayOfWeek % 7;

/** Week 01 begins on 1 January, the others on Sundays. */
function week({ date }: Bucket): string {
  const first = date.with({ month: 1, day: 1 }).dayOfWeek % 7;
  return digits(Math.floor((date.dayOfYear - 1 + first) / 7) + 1, 2);
}

export const TIME_FORMATS = {
  date: ymd,
  dateHour: (bucket) => ymd(bucket) + bucket.hour,
  dateHourMinute: (bucket) => ymd(bucket) + bucket.hour + bucket.minute,
  minute: (bucket) => bucket.minute,
  hour: (bucket) => bucket.hour,
  day,
  dayOfWeek: (bucket) => String(weekday(bucket)),
  dayOfWeekName: (bucket) => DAYS[weekday(bucket)]!,
  week,
  yearWeek: (bucket) => year(bucket) + week(bucket),
  isoWeek: ({ date }) => digits(date.weekOfYear!, 2),
  isoYear: ({ date }) => digits(date.yearOfWeek!, 4),
  isoYearIsoWeek: ({ date }) => digits(date.yearOfWeek!, 4) + digits(date.weekOfYear!, 2),
  month,
  yearMonth: (bucket) => year(bucket) + month(bucket),
  year,
  nthDay: ({ date }, { from }) => digits(from.until(date).days, 4),
  nthMonth: ({ date }, { from }) => {
    const { years, months } = from.with({ day: 1 }).until(date.with({ day: 1 }), { largestUnit: 'years' });
    return digits(years * 12 + months, 4);
  },
  minutesAgo: ({ label }, { minutesAgo }) => digits(minutesAgo.get(label) ?? 0, 2),
} satisfies Record<string, TimeFormat>;
