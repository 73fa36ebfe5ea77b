import { createHash } from 'node:crypto';
import { givenDraft, RECEIVED_AT } from '../../../../test/given-draft.js';
import type { Excess } from '../../auth/quotas/excess.js';
import { NEXT } from '../verdict.js';
import { sampleExcess } from './sample-excess.js';

const excess = (fields: Partial<Excess>): Excess => ({
  ...{ policy: 'hide', month: '2026-11', from: 1, to: 2, samplePercent: null, eventsMax: 1 },
  ...fields,
});
const draftOf = (visitor: number) => {
  const draft = givenDraft();
  draft.event.visitor = createHash('sha256').update(`${visitor}`).digest('hex').slice(0, 16);
  return draft;
};

it('asks for the merchant and the event’s times, and lets pass what nothing is said of', () => {
  const asked: unknown[] = [];
  const draft = draftOf(1);
  const step = sampleExcess((merchant, { occurredAt, receivedAt }) => {
    asked.push([merchant, occurredAt, receivedAt]);
    return undefined;
  });
  expect([step(draft), draft.hiddenFrom]).toEqual([NEXT, 0]);
  expect(asked).toEqual([['merchant', RECEIVED_AT, RECEIVED_AT]]);
});

it('keeps what is hidden, and says since when it is', () => {
  const draft = draftOf(1);
  expect([sampleExcess(() => excess({ from: 7 }))(draft), draft.hiddenFrom]).toEqual([NEXT, 7]);
});

it.each([1, 10, 50, 99])('keeps %i %% of the visitors, each of them whole', (samplePercent) => {
  const step = sampleExcess(() => excess({ policy: 'sample', samplePercent }));
  const kept = Array.from({ length: 10_000 }, (_, visitor) => step(draftOf(visitor)) === NEXT);
  const again = Array.from({ length: 10_000 }, (_, visitor) => step(draftOf(visitor)) === NEXT);
  const share = kept.filter(Boolean).length / 100;
  expect(Math.abs(share - samplePercent)).toBeLessThan(2);
  expect(again).toEqual(kept);
});

it('drops the others under a reason of their own', () => {
  const step = sampleExcess(() => excess({ policy: 'sample', samplePercent: 1 }));
  const verdicts = Array.from({ length: 100 }, (_, visitor) => step(draftOf(visitor)));
  expect(verdicts).toContainEqual({ verdict: 'dropped', reason: 'quota_sampled' });
});
