import { DAY_MS } from './days-to-cluster.js';
import { firstSites, movesOf } from './moves.js';

const DAY = Date.UTC(2026, 10, 20);
const whole = { from: DAY, to: DAY + DAY_MS };

it('take as many sites together as have no more rows than a move may have, by partition', () => {
  const listed = [
    { site: 'a', partition: 0, rows: 40 },
    { site: 'b', partition: 1, rows: 90 },
    { site: 'c', partition: 0, rows: 60 },
    { site: 'd', partition: 0, rows: 1 },
    { site: 'e', partition: 1, rows: 10 },
  ];
  expect(movesOf(listed, DAY, 100)).toEqual([
    { partition: 0, sites: ['a', 'c'], ...whole },
    { partition: 1, sites: ['b', 'e'], ...whole },
    { partition: 0, sites: ['d'], ...whole },
  ]);
});

it('cut a larger site into times that follow one another and make the day', () => {
  const moves = movesOf([{ site: 'a', partition: 3, rows: 701 }], DAY, 100);
  expect(moves).toHaveLength(8);
  expect(moves.map(({ partition, sites }) => [partition, ...sites])).toEqual(moves.map(() => [3, 'a']));
  expect([moves[0]!.from, moves.at(-1)!.to]).toEqual([DAY, DAY + DAY_MS]);
  expect(moves.slice(1).map(({ from }) => from)).toEqual(moves.slice(0, -1).map(({ to }) => to));
});

it('leave the others of its partition together', () => {
  const listed = ['a', 'b', 'c'].map((site) => ({ site, partition: 0, rows: site === 'b' ? 200 : 10 }));
  expect(movesOf(listed, DAY, 100).map(({ sites }) => sites)).toEqual([['a', 'c'], ['b'], ['b']]);
});

describe('the first sites', () => {
  const rowsOf = (...rows: readonly (readonly [string, number])[]) =>
    rows.map(([site, count], partition) => ({ site, partition, rows: count }));

  it('have no more rows together than are wanted, and are whole', () => {
    const listed = rowsOf(['a', 40], ['b', 30], ['c', 20], ['c', 20], ['d', 1]);
    expect(firstSites(listed, 100).map(({ site }) => site)).toEqual(['a', 'b']);
    expect(firstSites(listed, 110)).toEqual(listed.slice(0, 4));
    expect(firstSites(listed, 1_000)).toEqual(listed);
  });

  it('are one at least', () => {
    const listed = rowsOf(['a', 400], ['a', 30], ['b', 20]);
    expect(firstSites(listed, 100)).toEqual(listed.slice(0, 2));
    expect(firstSites([], 100)).toEqual([]);
  });
});
