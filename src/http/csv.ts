// Lines of CSV (RFC 4180). Text comes from visitors and other people, and a spreadsheet would run what looks like a
// formula: it gets an apostrophe. Numbers are ours, and written as they are.

/** Wide forms of the signs, too, which some spreadsheets take for the narrow ones. */
const LOOKS_LIKE_FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NEEDS_QUOTES = /[",;\t\r\n]/;

/** Null is an empty cell. */
export type CsvCell = string | number | null;

export const csvLine = (cells: readonly CsvCell[]): string =>
  `${cells.map((value) => (typeof value === 'string' ? cell(value) : value)).join(',')}\r\n`;

function cell(text: string): string {
  const safe = LOOKS_LIKE_FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
