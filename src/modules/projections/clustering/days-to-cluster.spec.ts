import { daysToCluster } from './days-to-cluster.js';

const OCTOBER = Date.UTC(2026, 9, 1);
const NOVEMBER = Date.UTC(2026, 10, 1);
const day = (month: number, date: number) => Date.UTC(2026, month - 1, date);
const known = { months: [OCTOBER, NOVEMBER], clustered: new Set<number>(), orderedUntil: -Infinity };

it('are those of all months that have been over for an hour, newest first', () => {
  const due = daysToCluster(known, Date.UTC(2026, 10, 3, 0, 59));
  expect(due[0]).toBe(day(11, 1));
  expect(due).toHaveLength(31 + 1);
  expect(due).toEqual(due.toSorted((a, b) => b - a));
  expect(daysToCluster(known, Date.UTC(2026, 10, 3, 1))[0]).toBe(day(11, 2));
});

it('are not those that have been clustered', () => {
  const clustered = new Set([day(11, 2), day(10, 31)]);
  expect(daysToCluster({ ...known, clustered }, day(11, 4)).slice(0, 3)).toEqual([
    day(11, 1),
    day(10, 30),
    day(10, 29),
  ]);
});

it('are of what was written in order only those that were not over then', () => {
  const orderedUntil = Date.UTC(2026, 10, 1, 9);
  expect(daysToCluster({ ...known, orderedUntil }, day(11, 4))).toEqual([day(11, 2), day(11, 1)]);
});

it('are none of what is earlier than all months, which has no month of its own', () => {
  const earlier = Date.UTC(2010, 0, 1) - 1;
  expect(daysToCluster({ ...known, months: [earlier] }, day(11, 4))).toEqual([]);
});
