import { createHash } from 'node:crypto';
import { changeSketch, countVisitors, EMPTY_SKETCH, encodeSketch } from './visitor-sketch.js';
import { VisitorUnion } from './visitor-union.js';

const visitor = (number: number) => createHash('sha256').update(`v${number}`).digest('hex').slice(0, 16);
const sketchOf = (from: number, to: number, sessions = 1) =>
  changeSketch(
    EMPTY_SKETCH,
    new Map(Array.from({ length: to - from }, (_, index) => [visitor(from + index), sessions] as const)),
  );

function unionOf(...sketches: ReturnType<typeof sketchOf>[]): VisitorUnion {
  const union = new VisitorUnion();
  for (const sketch of sketches) union.add(encodeSketch(sketch));
  return union;
}

describe('visitor union', () => {
  it('counts a union, not a sum', () => {
    expect(unionOf(sketchOf(0, 600), sketchOf(300, 900)).count()).toBe(900);
    expect(unionOf().count()).toBe(0);
  });

  it('stays exact however many exact sketches come together', () => {
    const sketches = Array.from({ length: 50 }, (_, index) => sketchOf(index * 900, index * 900 + 1_000));
    const union = unionOf(...sketches);
    expect(union.exact).toBe(true);
    expect(union.count()).toBe(49 * 900 + 1_000);
  });

  it('reads past any number of sessions', () => {
    expect(unionOf(sketchOf(0, 10, 1), sketchOf(5, 15, 300), sketchOf(10, 20, 20_000)).count()).toBe(20);
  });

  it('knows visitors whose ids are mostly zeros', () => {
    const ids = ['0000000000000000', '0000000000000001', '0000000100000000', 'ffffffff00000000'];
    const sketch = changeSketch(EMPTY_SKETCH, new Map(ids.map((id) => [id, 1])));
    expect(unionOf(sketch, sketch).count()).toBe(4);
  });

  it('estimates as soon as one sketch does, as if all had been counted by it', () => {
    const union = unionOf(sketchOf(4_900, 5_100), sketchOf(0, 5_000));
    expect(union.exact).toBe(false);
    expect(union.count()).toBe(countVisitors(sketchOf(0, 5_100)));
    expect(Math.abs(union.count() / 5_100 - 1)).toBeLessThan(0.04);
  });

  it('refuses bytes of an unknown format', () => {
    expect(() => new VisitorUnion().add(Buffer.of(9))).toThrow('Unknown visitor sketch format 9');
  });
});
