// Refuses what makes no sense together, so that nobody takes a zero for an answer: metrics without what
// they are about, and goals that the site has not.
import { Problem, type ProblemField } from '../../../http/problem.js';
import { GOAL_DIMENSION } from '../vocabulary/dimensions.js';
import type { Goal } from '../vocabulary/goal.js';
import { declarationOf, type Metric, type Requirement, REQUIREMENTS } from '../vocabulary/metrics.js';
import { comparisonsOf, type Filter, placedComparisons } from './filters.js';

interface Asked {
  readonly metrics: readonly Metric[];
  readonly dimensions: readonly string[];
  readonly filters: readonly Filter[];
}

/** @throws Problem 400 naming every path that is wrong. */
export function refuseImpossible(asked: Asked, goals: readonly Goal[]): void {
  const errors = [...senseless(asked), ...unknownGoals(asked, goals)];
  const [first] = errors;
  if (first !== undefined) throw Problem.badRequest(`${first.path}: ${first.message}`, errors);
}

function senseless(asked: Asked): readonly ProblemField[] {
  return asked.metrics.flatMap((metric, index): readonly ProblemField[] => {
    const { requires } = declarationOf(metric);
    if (requires === undefined || has(asked, requires)) return [];
    return [{ path: `metrics[${index}]`, message: `${metric} needs ${REQUIREMENTS[requires]}` }];
  });
}

function has({ dimensions, filters }: Asked, required: Requirement): boolean {
  if (required === 'dimension') return dimensions.length > 0;
  const name = required === 'page' ? 'event:page' : GOAL_DIMENSION;
  return (
    dimensions.includes(name) || filters.flatMap(comparisonsOf).some(({ dimension }) => dimension === name)
  );
}

/** `contains` looks among the goals that there are; `is` and `is_not` name them. */
function unknownGoals({ filters }: Asked, goals: readonly Goal[]): readonly ProblemField[] {
  return filters
    .flatMap((filter, index) => placedComparisons(filter, `filters[${index}]`))
    .filter(({ comparison }) => comparison.dimension === GOAL_DIMENSION && comparison.operator !== 'contains')
    .flatMap(({ comparison: { values, caseSensitive }, path }) => {
      const folded = (text: string) => (caseSensitive ? text : text.toLowerCase());
      const known = goals.map(({ name }) => folded(name));
      return values.flatMap((value, index) =>
        known.includes(folded(value))
          ? []
          : [{ path: `${path}[2][${index}]`, message: `the site has no goal ${value}` }],
      );
    });
}
