import fc from 'fast-check';
import { Problem } from '../../http/problem.js';
import { pageOf } from './page.js';

const nameOf = (name: string) => name;

describe('pages', () => {
  it('hold every item once, in order, whatever the order they come in', () => {
    const lists = fc.uniqueArray(fc.string({ minLength: 1, unit: 'binary' }), { maxLength: 40 });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 10 }), (items, limit) => {
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let pages = 0; pages <= items.length; pages++) {
          const page = pageOf(items, { nameOf, limit, cursor });
          seen.push(...page.items);
          expect(page.items.length).toBe(Math.min(limit, items.length - seen.length + page.items.length));
          if (page.nextCursor === null) break;
          cursor = page.nextCursor;
        }
        expect(seen).toEqual([...items].sort());
      }),
    );
  });

  it('neither repeat nor hide an item when others come and go in between', () => {
    const first = pageOf(['b', 'd', 'f', 'h'], { nameOf, limit: 2, cursor: undefined });
    const second = pageOf(['a', 'b', 'f', 'g', 'h'], { nameOf, limit: 2, cursor: first.nextCursor! });
    expect([first.items, second.items]).toEqual([
      ['b', 'd'],
      ['f', 'g'],
    ]);
  });

  it.each(['', '%', 'YQ==', 'Y'])('refuse the cursor %j, which was never given out', (cursor) => {
    expect(() => pageOf(['a'], { nameOf, limit: 1, cursor })).toThrow(Problem);
  });
});
