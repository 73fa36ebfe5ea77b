import fc from 'fast-check';
import { chooseMerge, type MergeLimits } from './choose-merge.js';
import type { Segment } from './segment.js';

/** Neighbours with so many events each, of ten bytes. */
function segments(events: readonly number[]): Segment[] {
  return events.map((count, index) => ({
    object: `o${index}`,
    partition: 0,
    after: index === 0 ? null : String(index),
    first: String(index + 1),
    last: String(index + 1),
    events: count,
    bytes: 10 * count,
    sha256: '',
    firstAppendedAt: index,
    lastAppendedAt: index,
    schema: 1,
  }));
}

const LIMITS: MergeLimits = { eventsMax: 1_000, bytesMax: 10_000 };
const chosen = (list: readonly Segment[], limits = LIMITS): string[] | undefined =>
  chooseMerge(list, limits)?.map(({ object }) => object);

describe('what is merged', () => {
  it('is a run of eight or more', () => {
    expect(chosen(segments(new Array<number>(7).fill(5)))).toBeUndefined();
    expect(chosen(segments(new Array<number>(8).fill(5)))).toHaveLength(8);
    expect(chosen(segments(new Array<number>(20).fill(5)))).toHaveLength(20);
  });

  it('is not larger than a segment may be, by events or by bytes', () => {
    const list = segments(new Array<number>(30).fill(60));
    expect(chosen(list)).toHaveLength(16);
    expect(chosen(list, { ...LIMITS, bytesMax: 6_000 })).toHaveLength(10);
    expect(chosen(segments(new Array<number>(30).fill(200)))).toBeUndefined();
  });

  it('does not write a large segment again for a few small ones', () => {
    const list = segments([300, ...new Array<number>(12).fill(5)]);
    expect(chosen(list)).toEqual(list.slice(1).map(({ object }) => object));
  });

  it('does not reach over what the log had lost', () => {
    const list = segments(new Array<number>(12).fill(5));
    const apart = list.map((segment, index) => (index === 6 ? { ...segment, after: 'elsewhere' } : segment));
    expect(chosen(apart)).toBeUndefined();
  });

  it('ends, also where everything was erased', () => {
    expect(chosen(segments(new Array<number>(9).fill(0)))).toHaveLength(9);
  });

  it('keeps a partition in few segments, and writes each event a few times only', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 50, maxLength: 300 }), (sizes) => {
        let list: Segment[] = [];
        let written = 0;
        for (const [index, size] of sizes.entries()) {
          list.push({
            ...segments([size])[0]!,
            object: `n${index}`,
            after: String(index),
            last: String(index + 1),
          });
          for (;;) {
            const run = chooseMerge(list, LIMITS);
            if (run === undefined) break;
            const at = list.indexOf(run[0]!);
            const events = run.reduce((sum, segment) => sum + segment.events, 0);
            const merged = {
              ...run[0]!,
              object: `m${index}`,
              last: run.at(-1)!.last,
              events,
              bytes: 10 * events,
            };
            list = [...list.slice(0, at), merged, ...list.slice(at + run.length)];
            written += events;
          }
        }
        const total = sizes.reduce((sum, size) => sum + size, 0);
        expect(written).toBeLessThanOrEqual(total * Math.log2(LIMITS.eventsMax));
        expect(list.reduce((sum, { events }) => sum + events, 0)).toBe(total);
        // Eight neighbours left alone are more than half full together, or one of them is half of them.
        expect(list.length).toBeLessThan(8 * (total / (LIMITS.eventsMax / 2) + Math.log2(total) + 1));
      }),
    );
  });
});
