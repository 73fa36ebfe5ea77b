import { EventIds, VisitorIds } from './identity.js';

const secrets = { apiKey: 'a-key-of-at-least-thirty-two-characters', site: 's1' };
const line = Buffer.from('1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5');
const NOON = Date.UTC(2015, 4, 17, 12);

describe('EventIds', () => {
  it('gives the same id for the same line, key and site on every run', () => {
    const id = new EventIds(secrets).next(line);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new EventIds(secrets).next(line)).toBe(id);
  });

  it('gives every one of several identical lines an id of its own, the same on every run', () => {
    const ids = () => {
      const eventIds = new EventIds(secrets);
      return [line, line, Buffer.from('other'), line].map((bytes) => eventIds.next(bytes));
    };
    expect(new Set(ids()).size).toBe(4);
    expect(ids()).toEqual(ids());
  });

  it('gives other ids on another site and under another key: nobody can guess a line from its id', () => {
    const id = new EventIds(secrets).next(line);
    expect(new EventIds({ ...secrets, site: 's2' }).next(line)).not.toBe(id);
    expect(new EventIds({ ...secrets, apiKey: `${secrets.apiKey}2` }).next(line)).not.toBe(id);
  });

  it('forgets the line not seen for longest, and remembers those seen again', () => {
    const eventIds = new EventIds(secrets, 2);
    const a = Buffer.from('a');
    const first = eventIds.next(a);
    eventIds.next(Buffer.from('b'));
    const second = eventIds.next(a);
    eventIds.next(Buffer.from('c'));
    expect(second).not.toBe(first);
    expect([first, second]).not.toContain(eventIds.next(a));
    eventIds.next(Buffer.from('d'));
    eventIds.next(Buffer.from('e'));
    expect(eventIds.next(a)).toBe(first);
  });
});

describe('VisitorIds', () => {
  const visit = { time: NOON, host: '1.2.3.4', userAgent: 'Mozilla/5.0' };

  it('gives one id per address and user agent for a UTC day, on every run', () => {
    const { visitorId } = new VisitorIds(secrets).of(visit);
    expect(visitorId).toMatch(/^[0-9a-f]{32}$/);
    expect(new VisitorIds(secrets).of({ ...visit, time: NOON + 11 * 3_600_000 })).toEqual({ visitorId });
  });

  it.each([
    ['address', { ...visit, host: '1.2.3.5' }],
    ['user agent', { ...visit, userAgent: 'Mozilla/6.0' }],
    ['missing user agent', { ...visit, userAgent: undefined }],
    ['day', { ...visit, time: NOON + 86_400_000 }],
  ])('gives another id for another %s', (_, other) => {
    const visitorIds = new VisitorIds(secrets);
    expect(visitorIds.of(other).visitorId).not.toBe(visitorIds.of(visit).visitorId);
  });

  it('gives another id on another site and under another key', () => {
    const ids = [secrets, { ...secrets, site: 's2' }, { ...secrets, apiKey: `${secrets.apiKey}2` }].map(
      (some) => new VisitorIds(some).of(visit).visitorId,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it("names yesterday's id for the first 30 minutes of a day, so that a session survives midnight", () => {
    const visitorIds = new VisitorIds(secrets);
    const midnight = Date.UTC(2015, 4, 18);
    const before = visitorIds.of({ ...visit, time: midnight - 1 });
    expect(before.previousVisitorId).toBeUndefined();
    for (const time of [midnight, midnight + 30 * 60_000 - 1]) {
      expect(visitorIds.of({ ...visit, time }).previousVisitorId).toBe(before.visitorId);
    }
    expect(visitorIds.of({ ...visit, time: midnight + 30 * 60_000 }).previousVisitorId).toBeUndefined();
  });
});
