// What a schema makes of a body, or a Problem that names every path that is wrong.
import type { z } from 'zod';
import { Problem, type ProblemField } from '../../../http/problem.js';

/** @throws Problem 400 */
export function parsedBy<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues.flatMap(fieldsOf));
}

/** Says the first mistake, and lists them all. */
export function invalidRequest(errors: readonly ProblemField[]): Problem {
  const { path, message } = errors[0]!;
  return Problem.badRequest(path === '' ? message : `${path}: ${message}`, errors);
}

function fieldsOf(issue: z.core.$ZodIssue): readonly ProblemField[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: 'there is no such key',
    }));
  }
  return [{ path: pathText(issue.path), message: issue.message }];
}

/** `filters[0][1]`, `pagination.limit`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}
