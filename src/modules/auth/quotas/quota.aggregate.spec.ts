import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { QuotaEvent } from '../../../events/quota.events.js';
import {
  eventsMax,
  exceedOf,
  type Quota,
  quotaFold,
  type QuotaState,
  removeQuota,
  revealMonth,
  setQuota,
  warnOf,
} from './quota.aggregate.js';

const quota: Quota = { eventsPerMonth: 1000, gracePercent: 10, policy: 'refuse', samplePercent: 10 };
const NOW = Date.parse('2026-11-20T10:20:00Z');
const UNLIMITED: Quota = { ...quota, eventsPerMonth: null };

const set = (fields: Partial<Quota> = {}): QuotaEvent => ({
  type: 'QuotaSet',
  data: { merchant: 'm', ...quota, ...fields },
});
const warned = (month: string, percent: number): QuotaEvent => ({
  type: 'QuotaWarned',
  data: { merchant: 'm', month, percent, events: 0, eventsPerMonth: 1000 },
});
const givenAt = (recordedAt: number, ...events: readonly QuotaEvent[]): QuotaState =>
  events.reduce(
    (state, event) =>
      quotaFold.evolve(state, { ...event, recordedAt: new Date(recordedAt) } as unknown as RecordedEvent),
    quotaFold.initial,
  );
const given = (...events: readonly QuotaEvent[]) => givenAt(NOW, ...events);
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

describe('beyond a quota that does not refuse', () => {
  const hide: Quota = { ...quota, policy: 'hide' };
  const sample: Quota = { ...quota, policy: 'sample', samplePercent: 25 };
  const exceed = (
    under: Quota,
    {
      before = [],
      events = 1100,
      nowMs = NOW,
    }: { before?: QuotaEvent[]; events?: number; nowMs?: number } = {},
  ) => exceedOf(given(set(under), ...before), under, { ...usage(events), nowMs });
  const exceeded = (under: Quota): QuotaEvent => exceed(under)!;

  it('hides from the next whole hour on, samples from the one that has begun, till the month ends', () => {
    expect(exceed(hide)?.data).toEqual({
      ...{ merchant: 'm', month: '2026-11', policy: 'hide', samplePercent: null, eventsMax: 1100 },
      ...{ from: '2026-11-20T11:00:00.000Z', to: '2026-12-01T00:00:00.000Z', events: 1100 },
    });
    expect(exceed(sample)?.data).toMatchObject({ from: '2026-11-20T10:00:00.000Z', samplePercent: 25 });
    expect(exceed(hide, { nowMs: Date.parse('2026-11-30T23:00:01Z') })).toBeNull();
  });

  it('says so once, and not before quota and grace are used up', () => {
    expect([exceed(hide, { events: 1099 }), exceed({ ...quota })]).toEqual([null, null]);
    expect(exceed(hide, { before: [exceeded(hide)] })).toBeNull();
    expect(exceed(sample, { before: [exceeded(hide)] })?.type).toBe('QuotaExceeded');
    // A node whose clock is ahead of the month that it counted.
    expect(exceed(sample, { nowMs: Date.parse('2026-12-01T00:00:00Z') })).toBeNull();
  });

  it('shows what was hidden once more is allowed, and goes on lacking what was not taken', () => {
    const raised = { eventsPerMonth: 2000 };
    expect(given(set(hide), exceeded(hide), set({ ...hide, ...raised })).excesses).toEqual([]);
    expect(given(set(hide), exceeded(hide), set({ ...hide, eventsPerMonth: null })).excesses).toEqual([]);
    const sampled = given(set(sample), exceeded(sample), set({ ...sample, ...raised })).excesses;
    // Some process may have dropped something until it knew of it: 10:20 is in the hour until 11:00.
    expect(sampled.map(({ from, to }) => [from, to])).toEqual([
      [Date.parse('2026-11-20T10:00:00Z'), Date.parse('2026-11-20T11:00:00Z')],
    ]);
  });

  it('goes on hiding under another quota that allows no more, and under another policy what was hidden by then', () => {
    expect(given(set(hide), exceeded(hide), set({ ...hide, eventsPerMonth: 900 })).excesses).toHaveLength(1);
    const later = Date.parse('2026-11-25T12:10:00Z');
    const state = givenAt(later, set(hide), exceeded(hide), set(sample));
    expect(state.excesses).toMatchObject([{ policy: 'hide', to: Date.parse('2026-11-25T13:00:00Z') }]);
  });

  it('hides nothing more in a month that was revealed, until another quota is set', () => {
    const revealed = revealMonth(given(set(hide), exceeded(hide)), 'm', '2026-11')!;
    expect(revealMonth(given(set(hide), exceeded(hide)), 'm', '2026-10')).toBeNull();
    expect(given(set(hide), exceeded(hide), revealed).excesses).toEqual([]);
    expect(exceed(hide, { before: [exceeded(hide), revealed] })).toBeNull();
    expect(exceed(hide, { before: [exceeded(hide), revealed, set(hide)] })).not.toBeNull();
    // Nobody can show what was not taken.
    expect(revealMonth(given(set(sample), exceeded(sample)), 'm', '2026-11')).toBeNull();
  });

  it('goes back to the default, which may allow more', () => {
    const state = given(set(hide), exceeded(hide));
    const standard = { ...hide, eventsPerMonth: 5000 };
    expect(removeQuota(given(), 'm', standard)).toBeNull();
    const removed = removeQuota(state, 'm', standard)!;
    expect(given(set(hide), exceeded(hide), removed)).toMatchObject({ quota: undefined, excesses: [] });
    const less = removeQuota(state, 'm', { ...hide, eventsPerMonth: 5 })!;
    expect(given(set(hide), exceeded(hide), less)).toMatchObject({ quota: undefined, excesses: [{}] });
  });
});
