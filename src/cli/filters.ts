// Filters as they are given on the command line: JSON, one or a list of them.
import { usageError } from './failure.js';

export function filtersOf(json: string | undefined): unknown[] | undefined {
  if (json === undefined) return undefined;
  let filter: unknown;
  try {
    filter = JSON.parse(json);
  } catch {
    throw usageError(`--filter is not JSON: ${json}`);
  }
  if (!Array.isArray(filter))
    throw usageError('--filter must be a JSON list, such as ["is","visit:country",["DE"]].');
  return Array.isArray(filter[0]) ? filter : [filter];
}
