// What rates are a part of: the visitors of a wider question, asked within the same statement, so that
// rows can be ordered and cut into pages by their rates.
import {
  GOAL_DIMENSION,
  isPropertyDimension,
  isTimeDimension,
  type Dimension,
} from '../vocabulary/dimensions.js';
import { type Counter, COUNTER_COLUMNS } from '../vocabulary/counters.js';
import type { Filter } from '../request/filters.js';
import type { ReportQuery } from '../request/report-query.js';

export interface Denominator {
  readonly column: string;
  /** Its only metric is visitors. */
  readonly query: ReportQuery;
  /** What its groups are called here and in the query itself. */
  readonly keys: readonly (readonly [wider: string, own: string])[];
}

export function denominatorsOf(query: ReportQuery, counters: ReadonlySet<Counter>): readonly Denominator[] {
  const { dimensions, filters } = query;
  const convertible = filters.flatMap(withoutGoals);
  const asked: readonly [Counter, readonly Dimension[], readonly Filter[]][] = [
    ['allVisitors', [], filters],
    ['convertibleVisitors', [], convertible],
    ['convertibleInGroup', dimensions.filter((dimension) => !tellsConversions(dimension)), convertible],
  ];
  return asked
    .filter(([counter]) => counters.has(counter))
    .map(([counter, dimensions, filters]) => ({
      column: COUNTER_COLUMNS[counter],
      query: wider(query, dimensions, filters),
      keys: dimensions.map((dimension) => [keyOf(dimension, dimensions), keyOf(dimension, query.dimensions)]),
    }));
}

/** As QueryShape names the keys of groups. */
function keyOf(dimension: Dimension, dimensions: readonly Dimension[]): string {
  if (isTimeDimension(dimension)) return 'bucket';
  return `d${dimensions.filter((one) => !isTimeDimension(one)).indexOf(dimension)}`;
}

function wider(
  query: ReportQuery,
  dimensions: readonly Dimension[],
  filters: readonly Filter[],
): ReportQuery {
  const { range, buckets } = query;
  const timed = dimensions.some(isTimeDimension);
  return {
    ...query,
    metrics: ['visitors'],
    dimensions,
    filters,
    orderBy: [],
    buckets: timed ? buckets : { bounds: [range.from, range.to], labels: [] },
  };
}

const tellsConversions = (dimension: Dimension): boolean =>
  dimension === GOAL_DIMENSION || isPropertyDimension(dimension);

/** Nothing, or the filter that is left when every comparison of goals and properties holds of every event. */
function withoutGoals(filter: Filter): readonly Filter[] {
  const left = whereTold(filter, true);
  return left === true ? [] : [left === false ? NOTHING : left];
}

const NOTHING: Filter = { kind: 'or', filters: [] };

/** `told`: what a comparison of a goal or property is where the filter stands; under `not` it turns round. */
function whereTold(filter: Filter, told: boolean): Filter | boolean {
  if (filter.kind === 'comparison') return tellsConversions(filter.dimension) ? told : filter;
  if (filter.kind === 'not') {
    const inner = whereTold(filter.filter, !told);
    return typeof inner === 'boolean' ? !inner : { kind: 'not', filter: inner };
  }
  if (!('filters' in filter)) return filter;
  const deciding = filter.kind === 'or';
  const inner = filter.filters.map((one) => whereTold(one, told));
  if (inner.includes(deciding)) return deciding;
  const rest = inner.filter((one): one is Filter => typeof one !== 'boolean');
  return rest.length === 0 ? !deciding : { kind: filter.kind, filters: rest };
}
