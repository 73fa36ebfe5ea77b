import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { partitionOf, partitionOfVisitor } from './partitioning.js';

const someone = fc.record({
  site: fc.string({ minLength: 1, maxLength: 20 }),
  visitor: fc.stringMatching(/^[0-9a-f]{16}$/),
});
const counts = fc.integer({ min: 1, max: 1_024 });

it('gives the partitions it has always given', () => {
  expect(partitionOf('s7Gk2mQx9RtP', 16)).toBe(6);
  const visitor = '0123456789abcdef';
  expect(partitionOfVisitor({ site: 's7Gk2mQx9RtP', visitor }, { partitions: 16, spread: 7 })).toBe(12);
});

it('is the partition of the site where nothing is spread', () => {
  fc.assert(
    fc.property(someone, counts, (who, partitions) => {
      expect(partitionOfVisitor(who, { partitions, spread: 1 })).toBe(partitionOf(who.site, partitions));
    }),
  );
});

it('is one of as many neighbours of the site’s partition as it is spread over, and there is always one', () => {
  fc.assert(
    fc.property(someone, counts, counts, (who, partitions, spread) => {
      const partition = partitionOfVisitor(who, { partitions, spread });
      const steps = (partition - partitionOf(who.site, partitions) + partitions) % partitions;
      expect(steps).toBeLessThan(Math.min(spread, partitions));
      expect(partition).toBeLessThan(partitions);
    }),
  );
});

it('gives each of the partitions about as many visitors', () => {
  const visitors = Array.from({ length: 20_000 }, (_, index) =>
    createHash('sha256').update(`${index}`).digest('hex').slice(0, 16),
  );
  for (const spread of [2, 3, 4, 7, 16]) {
    const counted = new Map<number, number>();
    for (const visitor of visitors) {
      const partition = partitionOfVisitor({ site: 'shop', visitor }, { partitions: 16, spread });
      counted.set(partition, (counted.get(partition) ?? 0) + 1);
    }
    expect(counted.size).toBe(spread);
    for (const count of counted.values()) {
      expect(Math.abs(count / (visitors.length / spread) - 1)).toBeLessThan(0.1);
    }
  }
});
