import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { QuotaEvent } from '../../../events/quota.events.js';
import { eventsMax, type Quota, quotaFold, setQuota, warnOf } from './quota.aggregate.js';

const quota: Quota = { eventsPerMonth: 1000, gracePercent: 10, policy: 'refuse' };
const UNLIMITED: Quota = { ...quota, eventsPerMonth: null };

const set = (fields: Partial<Quota> = {}): QuotaEvent => ({
  type: 'QuotaSet',
  data: { merchant: 'm', ...quota, ...fields },
});
const warned = (month: string, percent: number): QuotaEvent => ({
  type: 'QuotaWarned',
  data: { merchant: 'm', month, percent, events: 0, eventsPerMonth: 1000 },
});
const given = (...events: readonly QuotaEvent[]) =>
  events.reduce(
    (state, event) => quotaFold.evolve(state, event as unknown as RecordedEvent),
    quotaFold.initial,
  );
const usage = (events: number, month = '2026-11') => ({ merchant: 'm', month, events });
const percentOf = (events: number, ...before: readonly QuotaEvent[]) => {
  const warning = warnOf(given(...before), quota, usage(events));
  return warning?.type === 'QuotaWarned' ? warning.data.percent : null;
};

it('takes as many events as quota and grace say, or any number', () => {
  expect(
    [quota, { ...quota, gracePercent: 0 }, { ...quota, eventsPerMonth: 0 }, UNLIMITED].map(eventsMax),
  ).toEqual([1100, 1000, 0, Infinity]);
});

it('is as it was set last', () => {
  expect(given().quota).toBeUndefined();
  expect(given(set(), set({ eventsPerMonth: null })).quota).toEqual(UNLIMITED);
});

it('is not set again to what it is', () => {
  expect(setQuota(given(set()), 'm', quota)).toBeNull();
  for (const other of [{ eventsPerMonth: 1 }, { gracePercent: 11 }]) {
    expect(setQuota(given(set()), 'm', { ...quota, ...other })).toEqual(set(other));
  }
  // What the default says today it may not say tomorrow.
  expect(setQuota(given(), 'm', quota)).toEqual(set());
});

it('warns at 80 %, at the quota, and at the end of the grace', () => {
  expect([0, 799, 800, 999, 1000, 1099, 1100, 9999].map((events) => percentOf(events))).toEqual([
    null,
    null,
    80,
    80,
    100,
    100,
    110,
    110,
  ]);
});

it('warns of each once in a month, and of none that is passed already', () => {
  expect(percentOf(850, warned('2026-11', 80))).toBeNull();
  expect(percentOf(1000, warned('2026-11', 80))).toBe(100);
  expect(percentOf(850, warned('2026-11', 110))).toBeNull();
  expect(percentOf(850, warned('2026-10', 110))).toBe(80);
  expect(percentOf(1100, warned('2026-12', 80))).toBeNull();
});

it('warns anew once the quota is another', () => {
  expect(percentOf(850, warned('2026-11', 100), set())).toBe(80);
});

it('warns nobody without a limit', () => {
  expect(warnOf(given(), UNLIMITED, usage(1e12))).toBeNull();
});
