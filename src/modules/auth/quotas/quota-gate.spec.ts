import type { Excess } from './excess.js';
import type { Quota } from './quota.aggregate.js';
import { QuotaGate } from './quota-gate.js';
import { endOfMonth } from './usage-month.js';

const END = endOfMonth('2026-11');
const DAY_MS = 86_400_000;

let quota: Quota;
let newcomers: number;
let excesses: readonly Excess[];
let gate: QuotaGate;

beforeEach(() => {
  quota = { eventsPerMonth: 10, gracePercent: 0, policy: 'refuse', samplePercent: 10 };
  newcomers = 0;
  excesses = [];
  const quotas = { of: () => quota, excessesOf: () => excesses };
  gate = new QuotaGate({ quotas, onNewcomer: () => (newcomers += 1) });
});

const usage = (events: number, month = '2026-11') => ({ merchant: 'm', site: 's', month, events });
const wait = (atMs = END - DAY_MS) => gate.waitSeconds('m', atMs);
const append = (events: number, atMs = END - DAY_MS) => gate.appended(usage(events), atMs);

it('lets events pass up to quota and grace, then none until the month ends', () => {
  quota = { ...quota, gracePercent: 20 };
  expect(wait()).toBe(0);
  append(11);
  expect(wait()).toBe(0);
  append(1);
  expect([wait(), wait(END - 1)]).toEqual([86_400, 1]);
});

it('begins the next month with nothing used, whatever is read of the last one then', () => {
  wait();
  append(10);
  expect(wait(END)).toBe(0);
  expect(gate.read('2026-11', new Map([['m', 10]]))).toEqual([]);
  // Received before midnight, durable after it.
  append(10, END - 1);
  expect(wait(END)).toBe(0);
});

it('counts what all nodes have written and what this one has not, neither twice', () => {
  wait();
  append(3);
  // Of these three the table knows once they are written; two more come meanwhile.
  gate.written([usage(3)]);
  append(2);
  gate.read('2026-11', new Map([['m', 7]]));
  expect(wait()).toBe(0);
  append(1);
  expect(wait()).toBe(86_400);
});

it('counts what was written before it is read', () => {
  wait();
  append(10);
  gate.written([usage(10)]);
  expect(wait()).toBe(86_400);
});

it('asks for a merchant once it comes, and of those only who have sent something since', () => {
  wait();
  wait();
  expect([newcomers, gate.asking()]).toEqual([1, { month: '2026-11', merchants: ['m'] }]);
  gate.read('2026-11', new Map([['m', 0]]));
  expect(gate.asking().merchants).toEqual([]);
  wait();
  expect(gate.asking().merchants).toEqual(['m']);
});

it('obeys another quota at once, also one where there was none', () => {
  wait();
  append(10);
  quota = { ...quota, eventsPerMonth: 11 };
  expect(wait()).toBe(0);
  quota = { ...quota, eventsPerMonth: null };
  append(100);
  expect(wait()).toBe(0);
  quota = { ...quota, eventsPerMonth: 50 };
  expect(wait()).toBe(86_400);
});

it('asks nothing about merchants without a limit', () => {
  quota = { ...quota, eventsPerMonth: null };
  expect([wait(), newcomers]).toEqual([0, 0]);
});

describe('beyond a quota that does not refuse', () => {
  const FROM = END - DAY_MS;
  const excess = (policy: Excess['policy']): Excess => ({
    ...{ policy, month: '2026-11', from: FROM, to: END, eventsMax: 10 },
    samplePercent: policy === 'sample' ? 10 : null,
  });
  const during = (occurredAt: number, receivedAt = occurredAt) =>
    gate.excessFor('m', { occurredAt, receivedAt });

  it.each(['hide', 'sample'] as const)('%s refuses nothing', (policy) => {
    quota = { ...quota, policy };
    wait();
    append(100);
    expect(wait()).toBe(0);
  });

  it('hides what occurs in the time that an event has fixed, and nothing else', () => {
    quota = { ...quota, policy: 'hide' };
    wait();
    append(10);
    expect(during(FROM)).toBeUndefined();
    excesses = [excess('hide')];
    expect([FROM - 1, FROM, END - 1, END].map((at) => during(at)?.policy)).toEqual([
      ...[undefined, 'hide', 'hide', undefined],
    ]);
    // Late: it occurred while there was quota left.
    expect(during(FROM - 1, FROM + 1)).toBeUndefined();
  });

  it('samples while the merchant is over, and not once it may send more', () => {
    quota = { ...quota, policy: 'sample' };
    excesses = [excess('sample')];
    wait();
    append(9);
    expect(during(FROM)).toBeUndefined();
    append(1);
    expect(during(FROM)).toEqual(excess('sample'));
    quota = { ...quota, eventsPerMonth: 11 };
    expect(during(FROM)).toBeUndefined();
  });
});
