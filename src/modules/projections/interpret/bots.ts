// Whether a program fetched the page and no person, and which: isbot knows that it is one, the table of names
// what it is called and what for. A bot without a name there is "Other"; no client can invent one.
import { isbot } from 'isbot';
import { BOT_KINDS, NAMED_BOTS, type NamedBotKind } from './known-bots.js';

export interface Bot {
  /** Null: none that is known. */
  readonly name: string | null;
  readonly kind: NamedBotKind | 'Other';
}

/** Libraries answer to words so short that they must begin the string. */
const FIRST_WORD_ONLY: NamedBotKind = 'HTTP library';

interface Word {
  readonly text: string;
  readonly bot: Bot;
}

const WITHIN: readonly Word[] = wordsOf(BOT_KINDS.filter((kind) => kind !== FIRST_WORD_ONLY));
const FIRST: readonly Word[] = wordsOf([FIRST_WORD_ONLY]);
const UNKNOWN: Bot = { name: null, kind: 'Other' };

/**
 * What is no word that isbot looks for. Programs of people's own that carry such a word (an app's browser, a
 * phone called Cubot) isbot knows to leave alone.
 */
const UNNOTICED =
  /GTmetrix|YLT Chrome|Miniature\.io|TSM-turingos|\bDevin\/|\bNovaAct\b|\bManus-User\b|ChatGPT Agent/;

/** Many ask to be treated as one that every site lets in. */
const LIKE_ANOTHER = /\b(?:like|with|fake)[ -](?:feedfetcher-google|googlebot|bingbot)/g;

/** Null: for all that is known, a person. */
export function botOf(userAgent: string): Bot | null {
  if (!isbot(userAgent) && !UNNOTICED.test(userAgent)) return null;
  const lower = userAgent.toLowerCase().replace(LIKE_ANOTHER, '');
  for (const { text, bot } of WITHIN) if (hasWord(lower, text)) return bot;
  for (const { text, bot } of FIRST) {
    if (lower.startsWith(text) && !/[a-z]/.test(lower.charAt(text.length))) return bot;
  }
  return UNKNOWN;
}

/** Not within a longer word: commoncrawl.org is not OnCrawl. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (at === 0 || !/[a-z]/.test(text.charAt(at - 1))) return true;
  }
  return false;
}

/** The longest first, so that whoever carries another's name inside its own keeps its own. */
function wordsOf(kinds: readonly NamedBotKind[]): readonly Word[] {
  return kinds
    .flatMap((kind) => namesIn(NAMED_BOTS[kind]).map(([name, text]) => ({ text, bot: { name, kind } })))
    .toSorted((a, b) => b.text.length - a.text.length);
}

function namesIn(list: string): [name: string, text: string][] {
  return list.split('|').map((entry) => {
    const [name, text = name] = entry.trim().split('=') as [string, string?];
    return [name, text.toLowerCase()];
  });
}
