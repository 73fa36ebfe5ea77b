import { createHash } from 'node:crypto';
import { countOfIds, idsAsBytes, summaryOfIds } from './visitor-ids.js';
import { changeSketch, EMPTY_SKETCH, encodeSketch } from './visitor-sketch.js';
import { VisitorUnion } from './visitor-union.js';

const visitor = (number: number) => createHash('sha256').update(`v${number}`).digest('hex').slice(0, 16);
const visitors = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => visitor(from + index));
const idsOf = (from: number, to: number) => Buffer.from(visitors(from, to).join(''), 'hex');
const sketchOf = (from: number, to: number) =>
  encodeSketch(changeSketch(EMPTY_SKETCH, new Map(visitors(from, to).map((id) => [id, 1]))));

function unionOf(...parts: readonly Buffer[]): VisitorUnion {
  const union = new VisitorUnion();
  for (const part of parts) union.add(part);
  return union;
}

describe('visitor ids', () => {
  it('are counted exactly with each other and with exact sketches', () => {
    const union = unionOf(idsAsBytes(idsOf(0, 5_000)), summaryOfIds(idsOf(4_000, 6_000), 2_000));
    union.add(sketchOf(5_900, 6_100));
    expect([union.count(), union.exact]).toEqual([6_100, true]);
    expect(countOfIds(idsOf(0, 7))).toBe(7);
  });

  it('become, beyond the bound, the very bytes of a sketch of as many', () => {
    expect(summaryOfIds(idsOf(0, 3_000), 2_999)).toEqual(sketchOf(0, 3_000));
    expect(summaryOfIds(idsOf(0, 3_000), 3_000)).toEqual(idsAsBytes(idsOf(0, 3_000)));
  });

  it('know the id that is all zeros, and nobody', () => {
    expect(unionOf(idsAsBytes(Buffer.alloc(8)), idsAsBytes(Buffer.alloc(0))).count()).toBe(1);
  });
});
