import { createHash } from 'node:crypto';
import { givenDraft, givenServerEvent } from '../../../../test/given-draft.js';
import type { Draft } from '../draft.js';
import { NEXT } from '../verdict.js';
import { identifyVisitor } from './identify-visitor.js';

const step = identifyVisitor((text) => createHash('sha256').update(text).digest('hex'));

function identified(change: (draft: Draft) => void = () => {}, draft = givenDraft()): Draft['event'] {
  draft.address = '192.0.2.1';
  draft.event.userAgent = 'Browser/1';
  change(draft);
  expect(step(draft)).toBe(NEXT);
  return draft.event;
}

it('knows a visitor again by address, agent and site under the same salt', () => {
  expect(identified().visitor).toMatch(/^[0-9a-f]{16}$/);
  expect(identified().visitor).toBe(identified().visitor);
  expect(identified()).toMatchObject({ visitorGiven: undefined, previousVisitor: undefined });
});

it.each<[string, (draft: Draft) => void]>([
  ['address', (draft) => (draft.address = '192.0.2.2')],
  ['agent', (draft) => (draft.event.userAgent = 'Browser/2')],
  ['site', (draft) => (draft.event.site = 'other')],
  [
    'place of the boundary between address and agent',
    (draft) => {
      draft.address = '192.0.2.1B';
      draft.event.userAgent = 'rowser/1';
    },
  ],
])('gives another id for another %s', (_what, change) => {
  expect(identified(change).visitor).not.toBe(identified().visitor);
});

it('carries the id of yesterday while the salt overlaps', () => {
  const yesterday = givenDraft({ request: { salts: { current: 'old', previous: undefined } } });
  const today = givenDraft({ request: { salts: { current: 'new', previous: 'old' } } });
  const before = identified(undefined, yesterday);
  const after = identified(undefined, today);
  expect(after.previousVisitor).toBe(before.visitor);
  expect(after.visitor).not.toBe(before.visitor);
});

it("uses the client's own id whatever the salt, address and agent, and says so", () => {
  const one = identified(undefined, givenServerEvent({ visitorId: 'v' }));
  const two = identified(
    (draft) => (draft.address = '192.0.2.9'),
    givenDraft({
      input: { visitorId: 'v' },
      request: { server: true, salts: { current: 'another', previous: 'yet another' } },
    }),
  );
  expect(one).toMatchObject({ visitorGiven: true, previousVisitor: undefined });
  expect(two.visitor).toBe(one.visitor);
  expect(two.previousVisitor).toBeUndefined();
});

it("gives one client's id another visitor on another site", () => {
  const other = identified((draft) => (draft.event.site = 'other'), givenServerEvent({ visitorId: 'v' }));
  expect(other.visitor).not.toBe(identified(undefined, givenServerEvent({ visitorId: 'v' })).visitor);
});

it('follows a rotation of the client’s own ids', () => {
  const before = identified(undefined, givenServerEvent({ visitorId: 'monday' }));
  const after = identified(
    undefined,
    givenServerEvent({ visitorId: 'tuesday', previousVisitorId: 'monday' }),
  );
  expect(after.previousVisitor).toBe(before.visitor);
});

it('sees no rotation where both ids are the same', () => {
  const event = identified(undefined, givenServerEvent({ visitorId: 'v', previousVisitorId: 'v' }));
  expect(event.previousVisitor).toBeUndefined();
});
