// Any event that the log can hold, and some that only a newer version would write.
import fc from 'fast-check';
import type { TrackedEvent } from '../src/events/tracked-event.js';
import type { RecordedBatch } from '../src/tracking-log/tracking-log.js';

const TIME_MAX = 8.64e15;
const time = fc.integer({ min: 0, max: TIME_MAX });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const property = fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());

const known = fc.record(
  {
    id: text,
    site: text,
    name: text,
    occurredAt: time,
    receivedAt: time,
    visitor: text,
    timeReplaced: fc.constant(true as const),
    previousVisitor: text,
    visitorGiven: fc.constant(true as const),
    userId: text,
    url: fc.webUrl(),
    referrer: text,
    title: text,
    userAgent: text,
    language: text,
    screen: text,
    clientHints: fc.record(
      { brands: text, fullVersions: text, platform: text, platformVersion: text, mobile: text, model: text },
      { requiredKeys: [] },
    ),
    place: fc.record({ country: text, region: text, city: text, database: text }, { requiredKeys: [] }),
    props: fc.dictionary(text, property, { maxKeys: 4 }),
    revenue: fc.record({ amount: text, currency: text }),
    interactive: fc.constant(false as const),
    engagementMs: fc.integer({ min: 0, max: 86_400_000 }),
    scrollDepth: fc.integer({ min: 0, max: 100 }),
  },
  { requiredKeys: ['id', 'site', 'name', 'occurredAt', 'receivedAt', 'visitor'] },
);

/** What no column says: it is kept as text. */
const strange = fc.oneof(
  fc.constant({ title: 'half a pair: \ud83d' }),
  fc.constant({ engagementMs: 2 ** 40 }),
  fc.constant({ scrollDepth: 0.5 }),
  fc.constant({ place: { country: 'AT', planet: 'Earth' } }),
  fc.constant({ revenue: 'none' }),
  fc.constant({ later: { field: [1, null] } }),
  fc.constant(JSON.parse('{"__proto__":{"toString":1}}') as object),
);

/** As JSON says it, which is all that a log can hold. */
export const arbitraryEvent: fc.Arbitrary<TrackedEvent> = fc
  .tuple(known, fc.option(strange, { freq: 8 }))
  .map(
    ([event, more]) => JSON.parse(`${JSON.stringify(event).slice(0, -1)}${addition(more)}`) as TrackedEvent,
  );

/** Positions and times of a log, some batches apart. */
export const arbitraryBatches: fc.Arbitrary<RecordedBatch[]> = fc
  .array(
    fc.record({
      events: fc.array(arbitraryEvent, { minLength: 1, maxLength: 6 }),
      gap: fc.integer({ min: 1, max: 3 }),
      waitMs: fc.integer({ min: 0, max: 100_000 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps) => {
    let [position, appendedAt] = [0, 1_793_786_400_000];
    return steps.map(({ events, gap, waitMs }) => {
      position += gap;
      appendedAt += waitMs;
      return { position: String(position), appendedAt, events };
    });
  });

function addition(more: object | null): string {
  return more === null ? '}' : `,${JSON.stringify(more).slice(1)}`;
}
