// The filters of Plausible's Stats API v1: `visit:country==DE|FR;event:page!=/blog/**`. Comparisons
// are joined by `;`, the values of one by `|` (a literal one is written `\|`), `*` stands for any
// characters, and the value is matched from beginning to end. A list in JSON is taken as v2 writes it.
import { Problem } from '../../../../http/problem.js';

const COMPARISON = /^(.*?)([=!]=)(.*)$/s;
const SEPARATOR = /(?<!\\)\|/;
/** A goal is named as it was named: an asterisk is part of its name. */
const NAMED_LITERALLY = 'event:goal';
const WILDCARD_OPERATORS: ReadonlyMap<unknown, string> = new Map([
  ['matches_wildcard', 'matches'],
  ['matches_wildcard_not', 'matches_not'],
]);

/** @throws Problem 400 for text that is no filter. What a dimension is called, the query itself checks. */
export function readFilters(text: string): readonly unknown[] {
  if (text.trimStart().startsWith('[')) return withoutWildcards(listOf(text));
  return text
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(readComparison);
}

function readComparison(part: string): readonly unknown[] {
  const [, property, operator, text] = COMPARISON.exec(part) ?? [];
  const dimension = property?.trim();
  const value = text?.trim();
  if (!dimension || !value) throw refuse(`"${part}" is not property==value or property!=value`);
  const negated = operator === '!=';
  const values = value.split(SEPARATOR).map((one) => one.replaceAll(String.raw`\|`, '|'));
  if (dimension === NAMED_LITERALLY || !values.some((one) => one.includes('*'))) {
    return [negated ? 'is_not' : 'is', dimension, values];
  }
  return [negated ? 'matches_not' : 'matches', dimension, values.map(patternOf)];
}

function listOf(text: string): readonly unknown[] {
  try {
    return JSON.parse(text) as readonly unknown[];
  } catch {
    throw refuse('begin with [ but are not JSON');
  }
}

function withoutWildcards(filters: readonly unknown[]): readonly unknown[] {
  return filters.map((filter) => {
    if (!Array.isArray(filter)) return filter;
    const [name, dimension, values, ...rest] = filter as unknown[];
    const operator = WILDCARD_OPERATORS.get(name);
    if (operator === undefined || !Array.isArray(values)) return filter;
    const patterns = values.map((value) => (typeof value === 'string' ? patternOf(value) : value));
    return [operator, dimension, patterns, ...rest];
  });
}

/** The whole value, with any characters in place of one or more asterisks. */
function patternOf(value: string): string {
  const literals = value
    .split(/\*+/)
    .map((literal) => literal.replace(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  return `^${literals.join('.*')}$`;
}

const refuse = (message: string): Problem =>
  Problem.badRequest(`filters: ${message}`, [{ path: 'filters', message }]);
