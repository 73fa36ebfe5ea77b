// What may be asked of the facts besides a query: only some groups, only a sample of the visitors, or groups
// that can be added up over days.
import type { ReportQuery } from '../request/report-query.js';
import type { SqlParameters } from './sql-parameters.js';

export const SAMPLE_STEPS = 65_536;

export interface FactsQuery extends ReportQuery {
  /** Keys of groups: value dimensions in order, then the bucket, from 1. */
  readonly onlyGroups?: readonly (readonly (string | number)[])[];
  /** Visitors whose hash falls below, of `SAMPLE_STEPS`. */
  readonly sampledSteps?: number;
  /** Epoch milliseconds: only sessions that had begun before and ended at that instant or later. */
  readonly underWayAt?: number;
  readonly toAddUp?: ToAddUp;
}

/** Groups that are to be put together with others: each with its visitors' ids, and be it without a visit. */
export interface ToAddUp {
  /** Values of the one dimension; all others are `OTHER`. Null: all are kept. */
  readonly keptValues: readonly string[] | null;
}

/** What rare values are called where they are put together. */
export const OTHER = '(other)';

/** @param keys columns of the groups */
export function chosenGroupsSql(
  { onlyGroups }: FactsQuery,
  keys: readonly string[],
  parameters: SqlParameters,
): string {
  if (onlyGroups === undefined) return '';
  const columns = keys.map((name, place) =>
    parameters.add(
      onlyGroups.map((group) => group[place]),
      name === 'bucket' ? 'int[]' : 'text[]',
    ),
  );
  return `WHERE (${keys.join(', ')}) IN (SELECT * FROM unnest(${columns.join(', ')}))`;
}

/**
 * Conditions on the session row `s`. Ids are hashed once more, so that a sample is fair whatever they
 * are like; what a smaller rate picks, a larger one picks, too.
 */
export function sampleSql(
  { sampledSteps }: Pick<FactsQuery, 'sampledSteps'>,
  parameters: SqlParameters,
): readonly string[] {
  if (sampledSteps === undefined) return [];
  const step = `(hashint8extended(s.visitor, 0) & ${SAMPLE_STEPS - 1})`;
  return [`${step} < ${parameters.add(sampledSteps, 'int')}`];
}
