// Whether a text passes a string filter, for the few values that GA4 calls otherwise than the facts do.
// Their number and length are known; a pattern's cost is not, so patterns that could try very many
// ways are refused. Pure.
import type { MatchType } from './ga4-request.js';

export type StringTest =
  | {
      readonly kind: 'match';
      readonly matchType: MatchType;
      readonly value: string;
      readonly caseSensitive: boolean;
    }
  | { readonly kind: 'list'; readonly values: readonly string[]; readonly caseSensitive: boolean };

export type MatcherOutcome =
  | { readonly outcome: 'matcher'; readonly matches: (text: string) => boolean }
  | { readonly outcome: 'refused'; readonly reason: string };

/** Repetitions and alternatives within one branch of a pattern: each may double the ways to try. */
const CHOICES_MAX = 6;

export function stringMatcher(test: StringTest): MatcherOutcome {
  const fold = (text: string) => (test.caseSensitive ? text : text.toLowerCase());
  if (test.kind === 'list') {
    const values = new Set(test.values.map(fold));
    return matcher((text) => values.has(fold(text)));
  }
  const value = fold(test.value);
  switch (test.matchType) {
    case 'MATCH_TYPE_UNSPECIFIED':
    case 'EXACT':
      return matcher((text) => fold(text) === value);
    case 'BEGINS_WITH':
      return matcher((text) => fold(text).startsWith(value));
    case 'ENDS_WITH':
      return matcher((text) => fold(text).endsWith(value));
    case 'CONTAINS':
      return matcher((text) => fold(text).includes(value));
    case 'FULL_REGEXP':
      return ofPattern(test.value, { caseSensitive: test.caseSensitive, whole: true });
    case 'PARTIAL_REGEXP':
      return ofPattern(test.value, { caseSensitive: test.caseSensitive, whole: false });
  }
}

function ofPattern(
  pattern: string,
  { caseSensitive, whole }: { readonly caseSensitive: boolean; readonly whole: boolean },
): MatcherOutcome {
  const branches = branchesOf(pattern);
  if (branches.some(({ choices }) => choices > CHOICES_MAX)) {
    return refused(
      `a pattern on it may hold at most ${CHOICES_MAX} of * + ? { | between one outer | and the next`,
    );
  }
  try {
    const expressions = branches.map(
      ({ text }) => new RegExp(whole ? `^(?:${text})$` : text, caseSensitive ? '' : 'i'),
    );
    return matcher((text) => expressions.some((expression) => expression.test(text)));
  } catch {
    return refused('the pattern is not a regular expression');
  }
}

interface Branch {
  readonly text: string;
  readonly choices: number;
}

/** `a|b(c|d)*` → `a`, `b(c|d)*` */
function branchesOf(pattern: string): readonly Branch[] {
  const branches: Branch[] = [];
  let text = '';
  let choices = 0;
  let depth = 0;
  let inBrackets = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '|' && depth === 0 && !inBrackets) {
      branches.push({ text, choices });
      text = '';
      choices = 0;
      continue;
    }
    text += character;
    if (character === '\\') text += pattern[++at] ?? '';
    else if (inBrackets) inBrackets = character !== ']';
    else if (character === '[') inBrackets = true;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if ('*+?{|'.includes(character)) choices++;
  }
  return [...branches, { text, choices }];
}

const matcher = (matches: (text: string) => boolean): MatcherOutcome => ({ outcome: 'matcher', matches });
const refused = (reason: string): MatcherOutcome => ({ outcome: 'refused', reason });
