import { createHash } from 'node:crypto';
import {
  changeSketch,
  countVisitors,
  decodeSketch,
  EMPTY_SKETCH,
  encodeSketch,
  EXACT_VISITORS_MAX,
  type Sketch,
} from './visitor-sketch.js';

const visitor = (number: number) => createHash('sha256').update(`v${number}`).digest('hex').slice(0, 16);
const seen = (from: number, to: number, sessions = 1) =>
  new Map(Array.from({ length: to - from }, (_, index) => [visitor(from + index), sessions] as const));
const sketchOf = (from: number, to: number): Sketch => changeSketch(EMPTY_SKETCH, seen(from, to));

describe('visitor sketch', () => {
  it('is exact up to its bound and estimates beyond it', () => {
    expect(sketchOf(0, EXACT_VISITORS_MAX).exact).toBe(true);
    expect(countVisitors(sketchOf(0, EXACT_VISITORS_MAX))).toBe(EXACT_VISITORS_MAX);
    expect(sketchOf(0, EXACT_VISITORS_MAX + 1).exact).toBe(false);
  });

  it('takes a visitor back only when its last session leaves', () => {
    const twice = changeSketch(sketchOf(0, 10), seen(0, 1));
    const once = changeSketch(twice, seen(0, 1, -1));
    expect(countVisitors(once)).toBe(10);
    expect(countVisitors(changeSketch(once, seen(0, 1, -1)))).toBe(9);
  });

  it.each([2_000, 20_000, 300_000])('estimates %d visitors within four standard errors', (visitors) => {
    const error = countVisitors(sketchOf(0, visitors)) / visitors - 1;
    expect(Math.abs(error)).toBeLessThan(4 * 0.0081);
  });

  it('has one encoding for one content, whatever the order of arrival', () => {
    const forwards = changeSketch(changeSketch(EMPTY_SKETCH, seen(0, 50)), seen(50, 100));
    const backwards = changeSketch(changeSketch(EMPTY_SKETCH, seen(50, 100)), seen(0, 50));
    expect(encodeSketch(forwards)).toEqual(encodeSketch(backwards));
  });

  it.each([0, 1, 200, 2_000])('survives encoding with %d visitors', (visitors) => {
    const sketch = changeSketch(sketchOf(0, visitors), seen(0, Math.min(visitors, 3), 300));
    expect(decodeSketch(encodeSketch(sketch))).toEqual(sketch);
  });

  it('refuses bytes of an unknown format', () => {
    expect(() => decodeSketch(Buffer.of(9))).toThrow('Unknown visitor sketch format 9');
  });
});
