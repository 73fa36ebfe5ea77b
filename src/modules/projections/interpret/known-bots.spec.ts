import { NAMED_BOTS } from './known-bots.js';

const words = Object.values(NAMED_BOTS).flatMap((list) =>
  list.split('|').map((entry) => entry.trim().split('=').at(-1)!.toLowerCase()),
);

it('gives every word to one bot', () => {
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  expect(words.filter((word) => word === '')).toEqual([]);
});
