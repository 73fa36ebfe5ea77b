import { SOURCES } from './named-sources.js';

describe('named sources', () => {
  it('gives every word to one source, and every source one line', () => {
    const lines = Object.values(SOURCES).flatMap((sources) => Object.entries(sources));
    for (const all of [lines.flatMap(([, words]) => words.split(' ')), lines.map(([name]) => name)]) {
      expect(all.filter((one, index) => all.indexOf(one) !== index)).toEqual([]);
    }
  });

  it('spells hosts and tags in lower case', () => {
    const words = Object.values(SOURCES).flatMap((sources) => Object.values(sources));
    expect(words.filter((word) => word !== word.toLowerCase() || /^ | {2}| $/.test(word))).toEqual([]);
  });
});
