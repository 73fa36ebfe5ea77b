// An answer as CSV (RFC 4180). Values come from visitors, and a spreadsheet would run those that
// look like formulas: they get an apostrophe. Numbers are written as they are.
import type { Report } from './report.js';

const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

export function toCsv({ query, results }: Report): string {
  const header = [...query.dimensions, ...query.metrics].map(cell).join(',');
  const lines = results.map(({ dimensions, metrics }) => [...dimensions.map(cell), ...metrics].join(','));
  return [header, ...lines].map((line) => `${line}\r\n`).join('');
}

function cell(text: string): string {
  const safe = LOOKS_LIKE_FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
