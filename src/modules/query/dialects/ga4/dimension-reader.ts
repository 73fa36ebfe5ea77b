// Reads GA4's dimensions off native groups: which native dimensions are needed, and for each of GA4's
// a function from a group's native values to the text that is shown. Pure.
import type { DimensionExpression, RequestedDimension } from './ga4-request.js';
import type { PlannedRange } from './ranges.js';
import { type Bucket, type Granule, granuleFor, hasTornWeek, NATIVE_TIME } from './time-dimensions.js';
import { type DimensionEntry, dimensionOf, type NativeValues } from './dimension-vocabulary.js';
import type { ReportKind } from './described.js';

/** The native dimensions that a request needs. */
export interface NativeColumns {
  readonly granule: Granule | null;
  /** Without the time dimension. */
  readonly values: readonly string[];
}

/** One native group, with what its range adds. */
export interface NativeGroup {
  readonly bucket: Bucket | null;
  readonly values: readonly string[];
  readonly range: PlannedRange;
}

export interface DimensionReader {
  readonly read: (group: NativeGroup) => string;
  /** The native dimension of which every value is shown as it is. */
  readonly native: string | null;
}

export type ReaderOutcome =
  | {
      readonly outcome: 'readers';
      readonly readers: ReadonlyMap<string, DimensionReader>;
      readonly columns: NativeColumns;
    }
  | { readonly outcome: 'refused'; readonly dimension: string; readonly reason: string };

type Meaning =
  | DimensionEntry
  | { readonly kind: 'cased'; readonly of: string; readonly case: 'lower' | 'upper' }
  | { readonly kind: 'joined'; readonly of: readonly string[]; readonly delimiter: string };

export function dimensionReader(
  requested: readonly RequestedDimension[],
  ranges: readonly PlannedRange[],
  report: ReportKind,
): ReaderOutcome {
  const meanings = new Map<string, Meaning>();
  for (const { name, dimensionExpression } of requested) {
    const meaning = dimensionExpression ? ofExpression(dimensionExpression) : dimensionOf(name, report);
    if (meaning === undefined) return refused(name, `${name} is not a dimension that is answered here`);
    meanings.set(name, meaning);
  }
  const needed = new Map<string, DimensionEntry>();
  for (const [name, meaning] of meanings) {
    const missing = collect(meaning, { meanings, needed, report });
    if (missing !== null) return refused(name, `${missing} is not a dimension that is answered here`);
  }
  const times = [...needed.values()].filter((entry) => entry.kind === 'time');
  const byClock = times.every(({ clock, ordered }) => clock !== null && !ordered);
  const granule = times.length === 0 || byClock ? null : granuleFor(times.map((entry) => entry.granule));
  if (granule === undefined) {
    return refused(requested[0]!.name, 'weeks and months cut each other: ask for date as well');
  }
  const values = [...needed.values()].flatMap((entry) => nativeValues(entry, byClock)?.native ?? []);
  const columns = { granule, values: [...new Set(values)] };
  if (granule === 'sunday-week' && ranges.some(hasTornWeek)) {
    return refused(requested[0]!.name, "a year's end cuts a week of the date range: narrow it to one year");
  }
  const readers = new Map(
    [...meanings].map(([name, meaning]): [string, DimensionReader] => [
      name,
      {
        read: reading(meaning, { columns, report, byClock }),
        native: plainNative(meaning, { granule, byClock }),
      },
    ]),
  );
  return { outcome: 'readers', readers, columns };
}

/** Where buckets are not told apart, what a clock shows is a value of events like others. */
function nativeValues(meaning: Meaning, byClock: boolean): NativeValues | null {
  if (meaning.kind === 'time') return byClock ? meaning.clock : null;
  return meaning.kind === 'value' ? meaning : null;
}

interface Collecting {
  readonly meanings: ReadonlyMap<string, Meaning>;
  readonly needed: Map<string, DimensionEntry>;
  readonly report: ReportKind;
}

/** Adds what `meaning` is made of; the name of a part that is unknown, if one is. */
function collect(meaning: Meaning, collecting: Collecting): string | null {
  if (meaning.kind === 'time' || meaning.kind === 'value') {
    collecting.needed.set(meaning.kind === 'time' ? meaning.uiName : meaning.native, meaning);
    return null;
  }
  for (const name of meaning.kind === 'cased' ? [meaning.of] : meaning.of) {
    const part = dimensionOf(name, collecting.report);
    if (part === undefined) return name;
    const missing = collect(part, collecting);
    if (missing !== null) return missing;
  }
  return null;
}

function ofExpression({ lowerCase, upperCase, concatenate }: DimensionExpression): Meaning {
  if (lowerCase !== undefined) return { kind: 'cased', of: lowerCase.dimensionName, case: 'lower' };
  if (upperCase !== undefined) return { kind: 'cased', of: upperCase.dimensionName, case: 'upper' };
  const { dimensionNames, delimiter } = concatenate!;
  return { kind: 'joined', of: dimensionNames, delimiter };
}

interface Reading {
  readonly columns: NativeColumns;
  readonly report: ReportKind;
  readonly byClock: boolean;
}

function reading(meaning: Meaning, context: Reading): DimensionReader['read'] {
  const readingOf = (name: string) => reading(dimensionOf(name, context.report)!, context);
  switch (meaning.kind) {
    case 'time':
      return context.byClock
        ? readingValue(meaning.clock!, context.columns)
        : ({ bucket, range }) => meaning.format(bucket!, range);
    case 'value':
      return readingValue(meaning, context.columns);
    case 'joined': {
      const parts = meaning.of.map(readingOf);
      return (group) => parts.map((part) => part(group)).join(meaning.delimiter);
    }
    case 'cased': {
      const part = readingOf(meaning.of);
      return meaning.case === 'lower'
        ? (group) => part(group).toLowerCase()
        : (group) => part(group).toUpperCase();
    }
  }
}

function readingValue({ native, renamed }: NativeValues, columns: NativeColumns): DimensionReader['read'] {
  const at = columns.values.indexOf(native);
  return ({ values }) => (Object.hasOwn(renamed, values[at]!) ? renamed[values[at]!]! : values[at]!);
}

/** A label of its own size, or a native value under its own name, is ordered and told apart as natively. */
function plainNative(
  meaning: Meaning,
  { granule, byClock }: { readonly granule: Granule | null; readonly byClock: boolean },
): string | null {
  const shown = nativeValues(meaning, byClock);
  if (shown !== null) return Object.keys(shown.renamed).length === 0 ? shown.native : null;
  const ordered = meaning.kind === 'time' && meaning.ordered && meaning.granule === granule;
  return ordered ? NATIVE_TIME[granule].dimension : null;
}

const refused = (dimension: string, reason: string): ReaderOutcome => ({
  outcome: 'refused',
  dimension,
  reason,
});
