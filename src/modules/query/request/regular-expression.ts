// The patterns of `matches` filters. They are written as in RE2, which knows no back-references,
// and run by PostgreSQL, whose dialect names a few escapes differently; PostgreSQL has the last
// word on the rest, under the query's time limit.

export const PATTERN_CHARS_MAX = 256;

export type PatternOutcome =
  | { readonly outcome: 'pattern'; readonly pattern: string }
  | { readonly outcome: 'refused'; readonly reason: string };

/** RE2's name of an assertion → PostgreSQL's. */
const ASSERTIONS: Readonly<Record<string, string>> = { b: '\\y', B: '\\Y', z: '\\Z' };

const refused = (reason: string): PatternOutcome => ({ outcome: 'refused', reason });

export function patternForPostgres(text: string): PatternOutcome {
  if (text.length > PATTERN_CHARS_MAX) return refused(`must have at most ${PATTERN_CHARS_MAX} characters`);
  if (text.startsWith('***')) return refused('must not start with ***');
  let pattern = '';
  let inBrackets = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!;
    if (character === '\\') {
      const escaped = text[++index];
      if (escaped === undefined) return refused('must not end with a single backslash');
      if (!inBrackets && escaped >= '1' && escaped <= '9') return refused('must not use back-references');
      pattern += (inBrackets ? undefined : ASSERTIONS[escaped]) ?? `\\${escaped}`;
      continue;
    }
    if (!inBrackets && character === '(' && /^\(\?(<?[=!])/.test(text.slice(index, index + 4))) {
      return refused('must not look ahead or behind');
    }
    if (character === '[') inBrackets = true;
    else if (character === ']') inBrackets = false;
    pattern += character;
  }
  return { outcome: 'pattern', pattern };
}
