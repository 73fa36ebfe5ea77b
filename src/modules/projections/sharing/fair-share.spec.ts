import fc from 'fast-check';
import { fairShare } from './fair-share.js';

const members = fc.uniqueArray(fc.integer({ min: 1 }), { minLength: 1, maxLength: 40 });

it('leaves no partition over, gives none twice, and makes shares differ by one at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_024 }), members, (partitions, all) => {
      const shares = all.map((self) => fairShare(partitions, { members: all, self }));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

it('takes from those before when another comes after them, and gives them nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_024 }), members, (partitions, [latest, ...earlier]) => {
      for (const self of earlier) {
        const before = fairShare(partitions, { members: earlier, self });
        expect(fairShare(partitions, { members: [...earlier, latest!], self })).toBeLessThanOrEqual(before);
      }
    }),
  );
});

it('is everything for who is alone and not on the list yet', () => {
  expect(fairShare(4, { members: [], self: 7 })).toBe(4);
});
