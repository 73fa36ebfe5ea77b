// What one query may ask for at most. Checked before anything is parsed in depth or reaches
// PostgreSQL; beyond it the answer is 422 and says what to narrow.
import { Problem } from '../../../http/problem.js';

export const METRICS_MAX = 20;
export const DIMENSIONS_MAX = 10;
export const FILTER_LEAVES_MAX = 50;
export const FILTER_DEPTH_MAX = 8;
export const FILTER_VALUES_MAX = 100;
export const FILTER_VALUE_CHARS_MAX = 2_048;
export const REGULAR_EXPRESSIONS_MAX = 10;
export const TIME_BUCKETS_MAX = 10_000;
/** Rows of one page of an answer. */
export const LIMIT_MAX = 10_000;

export const tooCostly = (path: string, message: string): Problem =>
  new Problem({
    status: 422,
    type: 'query-too-costly',
    title: 'The query asks for too much at once',
    detail: message,
    errors: [{ path, message }],
  });

/** Looks at the raw body: its shape is not known yet, and its depth must not be able to exhaust the stack. */
export function refuseOversized(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  const { metrics, dimensions, filters } = body as Record<string, unknown>;
  if (lengthOf(metrics) > METRICS_MAX) throw tooCostly('metrics', `Ask for at most ${METRICS_MAX} metrics.`);
  if (lengthOf(dimensions) > DIMENSIONS_MAX) {
    throw tooCostly('dimensions', `Group by at most ${DIMENSIONS_MAX} dimensions.`);
  }
  refuseOversizedFilters(filters);
}

interface Pending {
  readonly node: unknown;
  readonly path: string;
  readonly depth: number;
}

function refuseOversizedFilters(filters: unknown): void {
  if (!Array.isArray(filters)) return;
  const pending: Pending[] = [];
  const push = (nodes: readonly unknown[], path: string, depth: number) => {
    if (nodes.length > FILTER_LEAVES_MAX) {
      throw tooCostly(path, `Give at most ${FILTER_LEAVES_MAX} filters in all.`);
    }
    for (const [index, node] of nodes.entries()) pending.push({ node, path: `${path}[${index}]`, depth });
  };
  push(filters, 'filters', 1);
  let leaves = 0;
  let patterns = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, path, depth } = next;
    if (depth > FILTER_DEPTH_MAX) {
      throw tooCostly(path, `Nest filters at most ${FILTER_DEPTH_MAX} levels deep.`);
    }
    if (!Array.isArray(node)) continue;
    const [operator, operand, values] = node as unknown[];
    if (operator === 'not') pending.push({ node: operand, path: `${path}[1]`, depth: depth + 1 });
    else if (operator === 'and' || operator === 'or') {
      if (Array.isArray(operand)) push(operand, `${path}[1]`, depth + 1);
    } else {
      leaves++;
      if (operator === 'matches' || operator === 'matches_not') patterns += lengthOf(values);
      refuseOversizedValues(values, `${path}[2]`);
    }
    if (leaves > FILTER_LEAVES_MAX)
      throw tooCostly('filters', `Give at most ${FILTER_LEAVES_MAX} filters in all.`);
    if (patterns > REGULAR_EXPRESSIONS_MAX) {
      throw tooCostly('filters', `Give at most ${REGULAR_EXPRESSIONS_MAX} regular expressions in all.`);
    }
  }
}

function refuseOversizedValues(values: unknown, path: string): void {
  if (!Array.isArray(values)) return;
  if (values.length > FILTER_VALUES_MAX) {
    throw tooCostly(path, `Compare with at most ${FILTER_VALUES_MAX} values in one filter.`);
  }
  for (const [index, value] of values.entries()) {
    if (typeof value === 'string' && value.length > FILTER_VALUE_CHARS_MAX) {
      throw tooCostly(
        `${path}[${index}]`,
        `A filter's value has at most ${FILTER_VALUE_CHARS_MAX} characters.`,
      );
    }
  }
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
