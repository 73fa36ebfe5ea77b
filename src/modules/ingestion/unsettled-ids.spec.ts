import { givenDraft, RECEIVED_AT } from '../../../test/given-draft.js';
import type { TrackedEvent } from '../../events/tracked-event.js';
import { UnsettledIds } from './unsettled-ids.js';

const event = (fields: Partial<TrackedEvent>): TrackedEvent => ({ ...givenDraft().event, ...fields });
const RETRIED_AT = RECEIVED_AT + 2_000;

it('gives a repeated event the id it had, once', () => {
  const ids = new UnsettledIds();
  ids.remember(JSON.stringify(event({ id: 'made', title: 'a' })));
  const repeated = event({ title: 'a', receivedAt: RETRIED_AT, occurredAt: RETRIED_AT });
  expect(ids.take(repeated)).toBe('made');
  expect(ids.take(repeated)).toBeUndefined();
});

it('gives two events of the same content one id each', () => {
  const ids = new UnsettledIds();
  ids.remember(JSON.stringify(event({ id: 'one' })));
  ids.remember(JSON.stringify(event({ id: 'two' })));
  expect([ids.take(event({})), ids.take(event({})), ids.take(event({}))]).toEqual(['one', 'two', undefined]);
});

it('tells events of different content apart, and of different times of their own', () => {
  const ids = new UnsettledIds();
  ids.remember(JSON.stringify(event({ id: 'made', occurredAt: RECEIVED_AT - 1 })));
  expect(ids.take(event({ title: 'other', occurredAt: RECEIVED_AT - 1 }))).toBeUndefined();
  expect(ids.take(event({ occurredAt: RECEIVED_AT - 2 }))).toBeUndefined();
  expect(ids.take(event({ occurredAt: RECEIVED_AT - 1, receivedAt: RETRIED_AT }))).toBe('made');
});

it('takes a replaced time as none', () => {
  const ids = new UnsettledIds();
  ids.remember(JSON.stringify(event({ id: 'made', timeReplaced: true })));
  const repeated = event({ timeReplaced: true, receivedAt: RETRIED_AT, occurredAt: RETRIED_AT });
  expect(ids.take(repeated)).toBe('made');
});

it('forgets the oldest beyond 50,000', () => {
  const ids = new UnsettledIds();
  for (let n = 0; n <= 50_000; n++) ids.remember(JSON.stringify(event({ id: String(n), title: String(n) })));
  expect(ids.take(event({ title: '0' }))).toBeUndefined();
  expect(ids.take(event({ title: '1' }))).toBe('1');
});
