// Requests as JSON of protocol buffers may write them: fields under their own names (`date_ranges`) or in
// camel case (`dateRanges`), and null for what is left out. Here they become camel case without nulls. Pure.
import { Problem } from '../../../../http/problem.js';

/** Deeper than any request that is answered. */
const DEPTH_MAX = 64;

/** @throws Problem 400 where it is nested deeper than any request needs to be. */
export function fieldsInCamelCase(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === DEPTH_MAX) {
    throw Problem.badRequest(`The request must not be nested deeper than ${DEPTH_MAX} levels.`);
  }
  if (Array.isArray(value)) return value.map((item) => fieldsInCamelCase(item, depth + 1));
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(
    fields.map(([name, field]) => [camelCase(name), fieldsInCamelCase(field, depth + 1)]),
  );
}

const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
