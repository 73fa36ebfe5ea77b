import type { RecordedEvent } from '../../../event-store/event-store.js';
import { subjectOf } from './audit-subjects.js';

const event = (stream: string, type: string, data: RecordedEvent['data']): RecordedEvent => ({
  ...{ stream, type, data, revision: 0, position: '1', recordedAt: new Date(0) },
});

const subjects = (...events: readonly RecordedEvent[]) => {
  const known = { ofStreams: new Map(), ofSites: new Map() };
  return events.map((one) => subjectOf(one, known));
};

const CREATED = event('site-s1', 'SiteCreated', { site: 's1', merchant: 'm1' });

it('is what the event says', () => {
  expect(subjects(event('merchant-m1', 'MerchantRenamed', { merchant: 'm1' }))).toEqual([
    { merchant: 'm1', site: null },
  ]);
});

it('is the merchant of the site that the event names, in whichever stream', () => {
  const named = [
    event('site-s1', 'SiteChanged', { site: 's1' }),
    event('definitions-s1', 'GoalCreated', { site: 's1', id: 'g1' }),
    event('domain-a.example', 'DomainClaimed', { site: 's1', domain: 'a.example' }),
  ];
  expect(subjects(CREATED, ...named).slice(1)).toEqual(named.map(() => ({ merchant: 'm1', site: 's1' })));
});

it('is, of a key or a link, what its first event said', () => {
  expect(
    subjects(
      event('key-k1', 'KeyIssued', { key: 'k1', merchant: 'm1', site: null }),
      event('key-k1', 'KeyRevoked', { key: 'k1' }),
      event('link-l1', 'SharedLinkCreated', { link: 'l1', merchant: 'm2', site: 's2' }),
      event('link-l1', 'SharedLinkDeleted', { link: 'l1' }),
    ),
  ).toEqual([
    { merchant: 'm1', site: null },
    { merchant: 'm1', site: null },
    { merchant: 'm2', site: 's2' },
    { merchant: 'm2', site: 's2' },
  ]);
});

it('is not handed on in streams of many things', () => {
  expect(
    subjects(
      CREATED,
      event('domain-a.example', 'DomainClaimed', { site: 's1' }),
      event('domain-a.example', 'DomainClaimed', { site: 's2' }),
      event('read-models', 'RebuildStarted', { rebuild: 'r1' }),
    ).slice(2),
  ).toEqual([
    { merchant: null, site: 's2' },
    { merchant: null, site: null },
  ]);
});

it.each(['person-p1', 'email-d1', 'sign-in-si1'])("is no merchant's in %s, whatever it says", (stream) => {
  expect(subjects(CREATED, event(stream, 'SignedIn', { site: 's1', merchant: 'm1' }))[1]).toEqual({
    merchant: null,
    site: null,
  });
});
