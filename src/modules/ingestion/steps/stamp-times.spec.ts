import { givenDraft, givenEvent, givenServerEvent, PAGE, RECEIVED_AT } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { stampTimes } from './stamp-times.js';

const step = stampTimes();
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

function stamped(occurredAt: unknown) {
  const draft = givenEvent({ occurredAt });
  const verdict = step(draft);
  return verdict === NEXT
    ? { at: draft.event.occurredAt - RECEIVED_AT, replaced: draft.event.timeReplaced }
    : verdict;
}

it('takes the time of receipt where the client gives none', () => {
  expect(stamped(undefined)).toEqual({ at: 0 });
});

it.each([
  [-24 * HOUR_MS, undefined],
  [-24 * HOUR_MS - 1, true],
  [5 * MINUTE_MS, undefined],
  [5 * MINUTE_MS + 1, true],
])('honours %i ms from receipt, or replaces it and says so: %s', (offset, replaced) => {
  expect(stamped(RECEIVED_AT + offset)).toEqual({ at: replaced ? 0 : offset, replaced });
});

it('corrects what the clock of the sender is wrong by, before it judges', () => {
  const corrected = (occurredAt: unknown, clockOffsetMs: number) => {
    const draft = givenDraft({ input: { url: PAGE, occurredAt }, request: { clockOffsetMs } });
    expect(step(draft)).toBe(NEXT);
    return { at: draft.event.occurredAt - RECEIVED_AT, replaced: draft.event.timeReplaced };
  };
  const slow = RECEIVED_AT - 48 * HOUR_MS;
  expect(corrected(slow, 48 * HOUR_MS)).toEqual({ at: 0 });
  expect(corrected(new Date(slow - MINUTE_MS).toISOString(), 48 * HOUR_MS)).toEqual({ at: -MINUTE_MS });
  expect(corrected(RECEIVED_AT, -Infinity)).toEqual({ at: 0, replaced: true });
});

it.each([
  ['2026-11-21T09:59:59.250Z', -750],
  ['2026-11-21t09:59:59,25z', -750],
  ['2026-11-21T09:59:59.250999Z', -750],
  ['2026-11-21T10:59:00+01:00', -MINUTE_MS],
  ['2026-11-21T05:29-0430', -MINUTE_MS],
  ['2026-11-21 09:59:00', -MINUTE_MS],
  ['2026-11-21', -10 * HOUR_MS],
])('reads ISO 8601: %s', (text, offset) => {
  expect(stamped(text)).toEqual({ at: offset });
});

it.each([
  [''],
  ['yesterday'],
  ['2026-02-30T00:00:00Z'],
  ['2026-13-01'],
  ['2026-11-21T24:00:00Z'],
  ['2026-11-21T10:60:00Z'],
  ['2026-11-21T10:00:60Z'],
  ['2026-11-21T10:00:00+25:00'],
  ['1795243027836'],
  ['Sat, 21 Nov 2026 10:00:00 GMT'],
])('rejects %j, which is no time', (text) => {
  expect(stamped(text)).toMatchObject({ verdict: 'rejected', reason: 'occurred_at_invalid' });
});

it('lets a server give any past since 1990', () => {
  const draft = givenServerEvent({ occurredAt: '1990-01-01T00:00:00Z' });
  expect(step(draft)).toBe(NEXT);
  expect(draft.event.occurredAt).toBe(Date.UTC(1990, 0, 1));
});

it.each(['1989-12-31T23:59:59Z', RECEIVED_AT + 5 * MINUTE_MS + 1, 1e300])(
  'refuses a server %s instead of falsifying it',
  (occurredAt) => {
    expect(step(givenServerEvent({ occurredAt }))).toMatchObject({ reason: 'occurred_at_invalid' });
  },
);
