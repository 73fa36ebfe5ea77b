// The date ranges and minute ranges of a request as native date ranges, in the site's time zone. Each
// has a name, which the dimension `dateRange` shows. Pure: the present arrives as an argument.
import { Temporal } from 'temporal-polyfill';
import { localDateOf } from '../../request/date-range.js';
import type { RequestedDateRange, RequestedMinuteRange } from './ga4-request.js';
import type { LabelContext } from './time-dimensions.js';

export interface PlannedRange extends LabelContext {
  readonly name: string;
  /** As native requests write it. */
  readonly native: readonly [string, string];
}

export interface Present {
  /** IANA name of the site's time zone. */
  readonly zone: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

export type RangesOutcome =
  | { readonly outcome: 'planned'; readonly ranges: readonly PlannedRange[] }
  | { readonly outcome: 'refused'; readonly path: string; readonly reason: string };

const MINUTE_MS = 60_000;
const DAYS_AGO = /^(\d{1,5})daysAgo$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LAST_30_MINUTES: RequestedMinuteRange = { startMinutesAgo: 29, endMinutesAgo: 0, name: '' };

export function planDateRanges(
  requested: readonly RequestedDateRange[],
  { zone, now }: Present,
): RangesOutcome {
  const today = localDateOf(now, zone);
  const ranges: PlannedRange[] = [];
  for (const [index, range] of requested.entries()) {
    const path = `dateRanges[${index}]`;
    const from = dayOf(range.startDate, today);
    if (from === undefined) return refused(`${path}.startDate`, range.startDate);
    const to = dayOf(range.endDate, today);
    if (to === undefined) return refused(`${path}.endDate`, range.endDate);
    if (Temporal.PlainDate.compare(from, to) > 0) {
      return { outcome: 'refused', path, reason: 'must not end before it starts' };
    }
    ranges.push({
      name: range.name || `date_range_${index}`,
      native: [from.toString(), to.toString()],
      from,
      to,
      minutesAgo: new Map(),
    });
  }
  return planned(ranges, 'dateRanges');
}

/** Minutes of the clock; the present one, which is not over, is number 0. */
export function planMinuteRanges(
  requested: readonly RequestedMinuteRange[],
  { zone, now }: Present,
): RangesOutcome {
  const present = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const asked = requested.length === 0 ? [LAST_30_MINUTES] : requested;
  const ranges = asked.map((range, index): PlannedRange => {
    const { startMinutesAgo, endMinutesAgo } = range;
    const from = present - startMinutesAgo * MINUTE_MS;
    const to = present - (endMinutesAgo - 1) * MINUTE_MS;
    const minutesAgo = new Map<string, number>();
    for (let ago = startMinutesAgo; ago >= endMinutesAgo; ago--) {
      minutesAgo.set(labelOf(present - ago * MINUTE_MS, zone), ago);
    }
    return {
      name: range.name || `date_range_${index}`,
      native: [new Date(from).toISOString(), new Date(to).toISOString()],
      from: localDateOf(from, zone),
      to: localDateOf(to - 1, zone),
      minutesAgo,
    };
  });
  return planned(ranges, 'minuteRanges');
}

function planned(ranges: readonly PlannedRange[], path: string): RangesOutcome {
  const names = ranges.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated === undefined) return { outcome: 'planned', ranges };
  return { outcome: 'refused', path, reason: `must not hold two ranges named ${repeated}` };
}

function dayOf(text: string, today: Temporal.PlainDate): Temporal.PlainDate | undefined {
  if (text === 'today') return today;
  if (text === 'yesterday') return today.subtract({ days: 1 });
  const ago = DAYS_AGO.exec(text)?.[1];
  if (ago !== undefined) return today.subtract({ days: Number(ago) });
  if (!DATE.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}

/** As a native bucket of a minute is labelled. */
function labelOf(epochMs: number, zone: string): string {
  const local = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone).toPlainDateTime();
  return local.toString({ smallestUnit: 'second' }).replace('T', ' ');
}

const refused = (path: string, text: string): RangesOutcome => ({
  outcome: 'refused',
  path,
  reason: `must be YYYY-MM-DD, today, yesterday or NdaysAgo, not ${JSON.stringify(text)}`,
});
