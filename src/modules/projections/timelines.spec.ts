import fc from 'fast-check';
import type { TrackedEvent } from '../../events/tracked-event.js';
import { createInterpreter } from '../../../test/catalog.js';
import { pageview } from '../../../test/given.js';
import { naiveSessions } from '../../../test/naive-fold.js';
import { shuffled, trouble } from '../../../test/traffic.js';
import type { ReadEvent } from './session-reader.js';
import type { Session } from './sessionizer.js';
import { Timelines } from './timelines.js';

const FROM = Date.UTC(2026, 2, 1);
const interpret = createInterpreter();

/** What a session is found again by: the row's visitor and its other visitor. */
const idsOf = ({ head, tail }: Session) => [head.visitor, tail?.visitor, head.events[0]!.previousVisitor];

/** Applies the log in the given runs, keeping the sessions as the read models would. */
async function sessionsAfter(
  log: readonly TrackedEvent[],
  { runEvents, eventsMax }: { runEvents: number; eventsMax: number },
): Promise<Session[]> {
  const stored = new Set<Session>();
  const timelines = new Timelines({
    partition: 0,
    weightMax: () => eventsMax,
    settled: async () => {},
    read: async ({ visitors, from }): Promise<ReadEvent[]> =>
      [...stored]
        .filter((session) => idsOf(session).some((id) => id && visitors.includes(id)))
        .filter((session) => [...session.waiting, ...session.events][0]!.at >= from)
        .flatMap(({ site, waiting, events }) =>
          [...waiting, ...events].map((event) => ({ site, event: { ...event } })),
        ),
  });
  for (let start = 0, run = 1; start < log.length; start += runEvents, run++) {
    const arrivals = log.slice(start, start + runEvents).map((event) => ({
      site: event.site,
      event: interpret(event),
      visitorGiven: event.visitorGiven ?? false,
    }));
    const said = new Map([...stored].map((session) => [JSON.stringify(session), session]));
    for (const visit of await timelines.prepare(arrivals)) {
      const { before, after } = timelines.change(visit, run);
      for (const session of before) {
        // A session that was forgotten and read again is another object with the same content.
        const same = said.get(JSON.stringify(session));
        expect(same).toBeDefined();
        stored.delete(same!);
      }
      for (const session of after) stored.add(session);
    }
    timelines.forget(run);
  }
  return [...stored];
}

const shown = (sessions: readonly Session[]) =>
  sessions
    .filter(({ events }) => events.length > 0)
    .map(({ site, startedAt, endedAt, pageviews, counted, bounced, events }) => ({
      site,
      visitor: events[0]!.visitor,
      startedAt,
      endedAt,
      pageviews,
      events: counted,
      bounced,
      times: events.map(({ at }) => at),
    }))
    .map((session) => JSON.stringify(session))
    .sort();

const expected = (log: readonly TrackedEvent[]) =>
  naiveSessions(log)
    .map(({ site, visitor, startedAt, endedAt, pageviews, events, bounced, all }) => ({
      site,
      visitor,
      startedAt,
      endedAt,
      pageviews,
      events,
      bounced,
      times: all.map(({ occurredAt }) => occurredAt),
    }))
    .map((session) => JSON.stringify(session))
    .sort();

describe('timelines and the sessionizer', () => {
  it('give the naive fold’s sessions for any order of arrival, any runs and any memory', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.integer(),
          order: fc.option(fc.integer(), { nil: null }),
          events: fc.integer({ min: 1, max: 300 }),
          visitors: fc.integer({ min: 1, max: 12 }),
          days: fc.integer({ min: 1, max: 5 }),
          runEvents: fc.integer({ min: 1, max: 80 }),
          eventsMax: fc.constantFrom(0, 20, 100_000),
        }),
        async ({ seed, order, events, visitors, days, runEvents, eventsMax }) => {
          const log = trouble({ seed, events, visitors, days, from: FROM, sites: ['a', 'b'] });
          const arrived = order === null ? log : shuffled(log, order);
          expect(shown(await sessionsAfter(arrived, { runEvents, eventsMax }))).toEqual(expected(log));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('cut very long sessions the same way whatever the order of arrival', async () => {
    for (const seed of [1, 2, 3]) {
      const log = trouble({ seed, events: 4_000, visitors: 1, days: 2, from: FROM, sites: ['a'] }).map(
        (event, index) => ({
          ...event,
          visitor: '00000000000000aa',
          previousVisitor: undefined,
          occurredAt: FROM + index * 40_000,
        }),
      );
      const naive = expected(log);
      expect(naive.length).toBeGreaterThan(5);
      expect(shown(await sessionsAfter(log, { runEvents: 333, eventsMax: 100_000 }))).toEqual(naive);
      expect(shown(await sessionsAfter(shuffled(log, seed), { runEvents: 250, eventsMax: 100 }))).toEqual(
        naive,
      );
    }
  });
});

describe('memory', () => {
  async function visitorsReadAgain(props: string | null): Promise<number> {
    const asked: string[] = [];
    const timelines = new Timelines({
      partition: 0,
      weightMax: () => 100,
      settled: async () => {},
      read: async ({ visitors }) => {
        asked.push(...visitors);
        return [];
      },
    });
    const arrivals = Array.from({ length: 50 }, (_, index) => {
      const visitor = index.toString(16).padStart(16, '0');
      return { site: 'a', event: pageview('10:00', { visitor, props }), visitorGiven: false };
    });
    for (const visit of await timelines.prepare(arrivals)) timelines.change(visit, 1);
    // Who was used is spared once.
    for (let run = 1; run <= 2; run++) timelines.forget(run);
    const before = asked.length;
    await timelines.prepare(arrivals);
    return asked.length - before;
  }

  it('holds fewer visitors whose events have long texts', async () => {
    expect(await visitorsReadAgain(null)).toBe(0);
    expect(await visitorsReadAgain('x'.repeat(4_608))).toBe(41);
  });
});
