import type { NewEvent, RecordedEvent } from '../../event-store/event-store.js';
import type { Fold } from './aggregate.js';
import { nameClaimFold } from './sites/name-claim.js';
import {
  type ApiKey,
  changeKey,
  issueKey,
  keyFold,
  outlasts,
  revokeKey,
  rotateKey,
} from './keys/key.aggregate.js';
import { spreadAt } from './sites/spread.js';
import {
  changeSite,
  createSite,
  deleteSite,
  SETTINGS_DEFAULT,
  type Site,
  siteFold,
  touchSite,
} from './sites/site.aggregate.js';

const recordedAt = new Date('2026-11-21T10:00:00Z');

const recorded = (events: readonly NewEvent[]): RecordedEvent[] =>
  events.map((event, revision) => ({ ...event, stream: 's', revision, position: `${revision}`, recordedAt }));

const given = <State>(fold: Fold<State>, ...events: readonly NewEvent[]): State =>
  recorded(events).reduce((state, event) => fold.evolve(state, event), fold.initial);

const unknown = { type: 'SomethingOfALaterRelease', data: { site: 's1' } };
const draft = {
  merchant: 'm',
  domain: 'example.com',
  name: 'Example',
  timezone: 'UTC',
  currency: 'EUR',
  trackingIds: ['G-1'],
};
const site: Site = {
  id: 's1',
  ...draft,
  ...SETTINGS_DEFAULT,
  spreads: [{ from: Number.NEGATIVE_INFINITY, spread: 1 }],
  createdAt: recordedAt,
  revision: 0,
};

describe('a site', () => {
  it('is absent, then as it was created, then gone', () => {
    expect(given(siteFold)).toBe('absent');
    expect(given(siteFold, createSite('s1', draft))).toEqual(site);
    expect(given(siteFold, createSite('s1', draft), deleteSite('s1'))).toBe('deleted');
  });

  it('is what it was changed to, at the revision of the change', () => {
    const change = { type: 'SiteChanged', data: { site: 's1', name: 'New', trackingIds: [] } };
    const changed = { ...site, name: 'New', trackingIds: [], revision: 1 };
    expect(given(siteFold, createSite('s1', draft), change)).toEqual(changed);
  });

  it('is spread anew a minute after that was decided, for events of that time and later', () => {
    const spread = (over: number) => ({ type: 'SiteChanged', data: { site: 's1', spread: over } });
    const { spreads } = given(
      siteFold,
      createSite('s1', { ...draft, spread: 2 }),
      spread(8),
      spread(1),
    ) as Site;
    const inForce = recordedAt.getTime() + 60_000;
    expect([0, inForce - 1, inForce].map((time) => spreadAt(spreads, time))).toEqual([2, 2, 1]);
    const once = given(siteFold, createSite('s1', draft), spread(8)) as Site;
    expect(once).toMatchObject({ spread: 8 });
    expect([0, inForce].map((time) => spreadAt(once.spreads, time))).toEqual([1, 8]);
  });

  it('can no longer be created once it was given up', () => {
    expect(given(siteFold, deleteSite('s1'))).toBe('deleted');
  });

  it('is not moved by events it does not know', () => {
    expect(given(siteFold, createSite('s1', draft), unknown)).toEqual(site);
  });

  it('is changed only in what differs', () => {
    const change = { name: 'Example', timezone: 'Europe/Vienna', currency: undefined };
    expect(changeSite(site, change)).toEqual({
      type: 'SiteChanged',
      data: { site: 's1', timezone: 'Europe/Vienna' },
    });
    expect(changeSite(site, { name: 'Example', trackingIds: ['G-1'] })).toBeNull();
    expect(changeSite(site, {})).toBeNull();
  });
});

describe("a site's settings", () => {
  const excluding = { countries: ['AT'], addresses: [], pages: ['/admin/**'], hostnames: [] };

  it('have their defaults in events of releases that did not know them', () => {
    const ofOld = { type: 'SiteCreated', data: { site: 's1', ...draft } };
    const change = { type: 'SiteChanged', data: { site: 's1', timezone: 'Asia/Tokyo' } };
    expect(given(siteFold, ofOld, change)).toEqual({ ...site, timezone: 'Asia/Tokyo', revision: 1 });
  });

  it('are stored where they differ from their defaults', () => {
    const settings = { weekStart: 'monday', consentMode: 'full', aliases: [], spread: 1 } as const;
    expect(createSite('s1', { ...draft, ...settings }).data).toEqual({
      site: 's1',
      ...draft,
      consentMode: 'full',
    });
  });

  it('keep the lists of exclusions that a change does not name', () => {
    const created = createSite('s1', { ...draft, exclusions: { countries: ['AT'], pages: ['/admin/**'] } });
    const before = given(siteFold, created) as Site;
    expect(before.exclusions).toEqual(excluding);
    expect(changeSite(before, { exclusions: { countries: ['AT'] } })).toBeNull();
    expect(changeSite(before, { exclusions: { pages: [], hostnames: undefined } })).toEqual({
      type: 'SiteChanged',
      data: { site: 's1', exclusions: { ...excluding, pages: [] } },
    });
  });

  it('never name the domain as an alias, too', () => {
    const aliased = { ...site, aliases: ['b.example', 'c.example'] };
    expect(changeSite(aliased, { domain: 'b.example' })?.data).toMatchObject({
      domain: 'b.example',
      aliases: ['c.example'],
    });
    expect(changeSite(aliased, { domain: 'd.example', aliases: ['example.com', 'd.example'] })?.data).toEqual(
      {
        site: 's1',
        domain: 'd.example',
        aliases: ['example.com'],
      },
    );
    expect(createSite('s1', { ...draft, aliases: [draft.domain] }).data).not.toHaveProperty('aliases');
  });

  it('are left by a touch, which only takes the revision', () => {
    expect(given(siteFold, createSite('s1', draft), touchSite('s1'))).toEqual({ ...site, revision: 1 });
  });
});

describe('a claim on a name', () => {
  const claimed = (by: string) => ({ type: 'DomainClaimed', data: { domain: 'example.com', site: by } });
  const released = { type: 'DomainReleased', data: { domain: 'example.com', site: 's1' } };

  it('is the last one made, until it is released', () => {
    expect(given(nameClaimFold)).toBe('free');
    expect(given(nameClaimFold, claimed('s1'))).toEqual({ site: 's1', claimedAt: recordedAt });
    expect(given(nameClaimFold, claimed('s1'), claimed('s2'))).toMatchObject({ site: 's2' });
    expect(given(nameClaimFold, claimed('s1'), released)).toBe('free');
    expect(given(nameClaimFold, claimed('s1'), unknown)).toMatchObject({ site: 's1' });
  });

  it('is on a tracking id what it is on a domain', () => {
    const data = { trackingId: 'G-1', site: 's1' };
    const taken = { type: 'TrackingIdClaimed', data };
    expect(given(nameClaimFold, taken)).toEqual({ site: 's1', claimedAt: recordedAt });
    expect(given(nameClaimFold, taken, { type: 'TrackingIdReleased', data })).toBe('free');
  });
});

describe('a key', () => {
  const keyDraft = {
    merchant: 'm',
    site: null,
    name: 'Server',
    scopes: ['stats:read' as const],
    prefix: 'tm_abcdefg',
    digest: 'ff',
    expiresAt: null,
  };
  const at = (time: string) => new Date(`2026-12-${time}:00Z`);
  const issued = (about: object = {}) => given(keyFold, issueKey('k1', { ...keyDraft, ...about })) as ApiKey;
  const given1 = (...events: readonly (NewEvent | string | null)[]) =>
    given(keyFold, issueKey('k1', keyDraft), ...(events as NewEvent[])) as ApiKey;

  it('is absent, then valid, then revoked', () => {
    expect(given(keyFold)).toBe('absent');
    expect(given(keyFold, issueKey('k1', keyDraft))).toEqual({
      id: 'k1',
      ...keyDraft,
      successor: null,
      createdAt: recordedAt,
      revision: 0,
    });
    expect(given(keyFold, issueKey('k1', keyDraft), revokeKey('k1'))).toBe('revoked');
    expect(given(keyFold, issueKey('k1', keyDraft), unknown)).toMatchObject({ id: 'k1' });
  });

  it('ends when it was issued to, and can be given another end until then', () => {
    const key = issued({ expiresAt: at('10T10:00') });
    expect(key.expiresAt).toEqual(at('10T10:00'));
    const change = changeKey(key, { name: 'Other', expiresAt: null }, at('10T09:59'));
    expect(given1(change)).toMatchObject({ name: 'Other', expiresAt: null, revision: 1 });
    expect(changeKey(key, { expiresAt: null }, at('10T10:00'))).toBe('expired');
    expect(changeKey(key, { name: 'Server', expiresAt: at('10T10:00') }, at('01T00:00'))).toBeNull();
  });

  it('that is rotated ends after the overlap, never later than it would have', () => {
    const overlap = (end: string) => ({ successor: 'k2', overlapEndsAt: at(end) });
    expect(given1(rotateKey(issued(), overlap('05T00:00')))).toMatchObject({
      successor: 'k2',
      expiresAt: at('05T00:00'),
    });
    const ending = issued({ expiresAt: at('03T00:00') });
    expect(given1(rotateKey(ending, overlap('05T00:00'))).expiresAt).toEqual(at('03T00:00'));
    expect(given1(rotateKey(ending, overlap('02T00:00'))).expiresAt).toEqual(at('02T00:00'));
  });

  it('that was rotated is given no more time', () => {
    const rotated = given1(rotateKey(issued(), { successor: 'k2', overlapEndsAt: at('05T00:00') }));
    expect(changeKey(rotated, { expiresAt: at('06T00:00') }, at('01T00:00'))).toBe('rotated');
    expect(changeKey(rotated, { expiresAt: null }, at('01T00:00'))).toBe('rotated');
    expect(changeKey(rotated, { expiresAt: at('04T00:00') }, at('01T00:00'))).toMatchObject({
      type: 'KeyChanged',
    });
    expect(changeKey(rotated, { name: 'Old' }, at('01T00:00'))).toMatchObject({ data: { name: 'Old' } });
  });

  it('outlasts what ends before it', () => {
    const [early, late] = [at('01T00:00'), at('02T00:00')];
    expect([outlasts(late, early), outlasts(null, early)]).toEqual([true, true]);
    expect([outlasts(early, late), outlasts(late, late), outlasts(late, null), outlasts(null, null)]).toEqual(
      [false, false, false, false],
    );
  });
});
