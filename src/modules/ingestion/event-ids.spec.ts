import { validate, version } from 'uuid';
import { newEventId } from './event-ids.js';

it('makes version 7 UUIDs that ascend and never repeat, also within a millisecond', () => {
  const before = Date.now();
  const ids = Array.from({ length: 20_000 }, newEventId);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual([...ids].sort());
  const stampedAt = parseInt(ids[0]!.replace('-', '').slice(0, 12), 16);
  expect(stampedAt).toBeGreaterThanOrEqual(before);
  expect(stampedAt).toBeLessThanOrEqual(Date.now());
});

it('takes fresh random bytes for each', () => {
  const tails = Array.from({ length: 1_000 }, () => newEventId().slice(-10));
  expect(new Set(tails).size).toBe(1_000);
});
