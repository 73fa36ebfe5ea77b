import { keyOf, RecentIds } from './recent-ids.js';

const event = (id: string, visitor = 'v', site = 's') => ({ site, visitor, id });

it('knows what was added, under its site and its visitor only', () => {
  const ids = new RecentIds();
  ids.add(keyOf(event('a')));
  expect(ids.has(event('a'))).toBe(true);
  expect(ids.has(event('b'))).toBe(false);
  expect(ids.has(event('a', 'w'))).toBe(false);
  expect(ids.has(event('a', 'v', 't'))).toBe(false);
});

it('knows a visitor again by the id of before the salt changed', () => {
  const ids = new RecentIds();
  ids.add(keyOf(event('a', 'yesterday')));
  expect(ids.has({ ...event('a', 'today'), previousVisitor: 'yesterday' })).toBe(true);
});

it('remembers at least 50,000 and at most 100,000', () => {
  const ids = new RecentIds();
  for (let n = 0; n < 200_000; n++) ids.add(keyOf(event(String(n))));
  let known = 0;
  for (let n = 0; n < 200_000; n++) known += Number(ids.has(event(String(n))));
  expect(known).toBeGreaterThanOrEqual(50_000);
  expect(known).toBeLessThanOrEqual(100_000);
  expect(ids.has(event('199999'))).toBe(true);
});
