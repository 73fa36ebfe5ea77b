import { readFileSync } from 'node:fs';
import { accuracies } from './accuracy.js';
import { accuracyText } from './accuracy-text.js';

/** In percent, below which no change may let them fall. */
const AT_LEAST: Readonly<Record<string, number>> = {
  browser: 84,
  'operating system': 88,
  'device, of unusual models': 93.5,
  'device, of real visitors': 98,
  'people taken for people': 100,
  'bots taken for bots': 100,
  'kind of bot, where it is named': 95,
  'channel of search hosts': 89,
  'channel of social hosts': 89,
  'channel of email hosts': 96,
};

const all = accuracies();

it('does not fall', () => {
  expect(all.map(({ question }) => question)).toEqual(Object.keys(AT_LEAST));
  for (const { question, cases, misses } of all) {
    const percent = (100 * (cases - misses.length)) / cases;
    expect(`${question}: ${percent >= AT_LEAST[question]! ? 'kept' : percent}`).toBe(`${question}: kept`);
    expect(cases).toBeGreaterThan(50);
  }
});

it('is what docs/reference/accuracy.md says (else: npm run bench -- interpret --save)', () => {
  const page = readFileSync(new URL('../../docs/reference/accuracy.md', import.meta.url), 'utf8');
  expect(page).toBe(accuracyText(all));
});
