import { DAY_MS } from './days-to-cluster.js';
import { movesOf, wholeSites } from './moves.js';

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

describe('of rows counted up to a limit, whole', () => {
  const listed = [
    { site: 'a', partition: 0, rows: 40 },
    { site: 'b', partition: 0, rows: 30 },
    { site: 'b', partition: 1, rows: 30 },
  ];

  it('are all sites where it was not reached', () => {
    expect(wholeSites(listed, 101)).toEqual(listed);
    expect(wholeSites([], 100)).toEqual([]);
  });

  it('is not the last one where it was', () => {
    expect(wholeSites(listed, 100)).toEqual(listed.slice(0, 1));
    expect(wholeSites(listed.slice(1), 60)).toEqual([]);
  });
});
