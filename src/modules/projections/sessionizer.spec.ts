import { custom, engagement, event, pageview } from '../../../test/given.js';
import type { VisitEvent } from './visit-event.js';
import { addEvents, type Timeline } from './sessionizer.js';

const O = '00000000000000a1';
const N = '00000000000000a2';
const M = '00000000000000a3';
const DAY_MS = 86_400_000;

/** Sessions as the names of their events, after the arrivals one by one. */
function sessionsOf(...arrivals: VisitEvent[]): number[][] {
  let timelines: readonly Timeline[] = [O, N, M].map((visitor) => ({
    site: 'shop',
    visitor,
    pieces: [],
    sessions: [],
  }));
  for (const arrival of arrivals) timelines = addEvents(timelines, [arrival]).timelines;
  const sessions = new Set(timelines.flatMap((timeline) => [...timeline.sessions]));
  return [...sessions]
    .filter(({ events }) => events.length > 0)
    .sort((a, b) => a.startedAt - b.startedAt)
    .map(({ events }) => events.map((one) => arrivals.indexOf(one)));
}

describe('sessions', () => {
  it('go on after a gap of exactly 30 minutes and end after a longer one', () => {
    expect(sessionsOf(pageview('10:00'), pageview('10:30'))).toEqual([[0, 1]]);
    expect(sessionsOf(pageview('10:00'), pageview('10:31'))).toEqual([[0], [1]]);
  });

  it('are joined by a late event, and extended backwards by another', () => {
    expect(sessionsOf(pageview('10:00'), pageview('10:50'), pageview('10:25'))).toEqual([[0, 2, 1]]);
    expect(sessionsOf(pageview('10:00'), pageview('09:45'))).toEqual([[1, 0]]);
  });

  it('are kept alive by engagement and never opened by it', () => {
    expect(sessionsOf(pageview('10:00'), engagement('10:25'), pageview('10:50'))).toEqual([[0, 1, 2]]);
    expect(sessionsOf(engagement('10:00'))).toEqual([]);
    expect(sessionsOf(engagement('10:00'), pageview('10:10'))).toEqual([[1]]);
    expect(sessionsOf(engagement('10:10'), pageview('10:00'))).toEqual([[1, 0]]);
  });

  it('count a repeated event once: the one received first, whichever comes first out of the log', () => {
    const first = pageview('10:00');
    const retry = { ...first, at: first.at + 120_000, receivedAt: first.receivedAt + 120_000 };
    expect(sessionsOf(first, retry)).toEqual([[0]]);
    expect(sessionsOf(retry, first)).toEqual([[1]]);
  });

  it('say when a repeat differs from what it repeats', () => {
    const first = pageview('10:00');
    const other = { ...first, page: '/other', receivedAt: first.receivedAt + 1 };
    const empty = { site: 'shop', visitor: O, pieces: [], sessions: [] };
    expect(addEvents([empty], [first, { ...first }])).toMatchObject({ repeats: 1, conflicts: 0 });
    expect(addEvents([empty], [first, other])).toMatchObject({ repeats: 1, conflicts: 1 });
  });

  it('survive the change of the daily salt', () => {
    const next = pageview('10:20', { visitor: N, previousVisitor: O });
    expect(sessionsOf(pageview('10:00'), next)).toEqual([[0, 1]]);
    expect(sessionsOf(next, pageview('10:00'))).toEqual([[1, 0]]);
    expect(sessionsOf(pageview('09:40'), next)).toEqual([[0], [1]]);
  });

  it('are continued by the earliest of several, and never over more than one change', () => {
    const late = pageview('10:20', { visitor: N, previousVisitor: O });
    const early = pageview('10:10', { visitor: M, previousVisitor: O });
    expect(sessionsOf(pageview('10:00'), late, early)).toEqual([[0, 2], [1]]);
    const first = pageview('10:00', { visitor: O, previousVisitor: M });
    expect(sessionsOf(first, late)).toEqual([[0], [1]]);
  });

  it('do not continue one that began twelve hours before', () => {
    const all = Array.from({ length: 25 }, (_, index) => {
      const minutes = index * 30;
      return pageview(`${Math.floor(minutes / 60)}:${minutes % 60}`);
    });
    const next = pageview('12:10', { visitor: N, previousVisitor: O });
    expect(sessionsOf(...all, next)).toHaveLength(2);
    expect(sessionsOf(...all.slice(1), next)).toHaveLength(1);
  });

  it('of twelve hours or more end with the UTC day', () => {
    const all = Array.from({ length: 60 }, (_, index) => ({
      ...event('11:00'),
      at: event('11:00').at + index * 1_500_000,
    }));
    const sessions = sessionsOf(...all);
    expect(sessions).toHaveLength(2);
    expect(Math.floor(all[sessions[1]![0]!]!.at / DAY_MS)).toBe(Math.floor(all[0]!.at / DAY_MS) + 1);
  });

  it('weigh large properties, so that a row stays bounded', () => {
    const heavy = Array.from({ length: 200 }, (_, index) => ({
      ...custom('10:00', { props: JSON.stringify({ text: 'x'.repeat(10_000) }) }),
      at: event('10:00').at + index * 1_000,
    }));
    const sizes = sessionsOf(...heavy).map((session) => session.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(101);
  });
});
