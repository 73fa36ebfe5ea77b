import { readFileSync } from 'node:fs';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from './tracked-event.js';
import { UnknownEventSchemaError, upcast } from './upcasters.js';

const golden = (schema: number): unknown[] =>
  JSON.parse(
    readFileSync(new URL(`../../test/golden/tracked-event.v${schema}.json`, import.meta.url), 'utf8'),
  ) as unknown[];

/** Every field an event can have: a compile error here means the shape changed. */
const fieldsOfToday: Required<{ [Field in keyof TrackedEvent]: true }> = {
  id: true,
  site: true,
  name: true,
  occurredAt: true,
  receivedAt: true,
  timeReplaced: true,
  visitor: true,
  previousVisitor: true,
  visitorGiven: true,
  userId: true,
  url: true,
  referrer: true,
  title: true,
  userAgent: true,
  language: true,
  screen: true,
  place: true,
  props: true,
  revenue: true,
  interactive: true,
  engagementMs: true,
  scrollDepth: true,
};

describe('upcasters', () => {
  it('reads schema 1 as it was written', () => {
    for (const raw of golden(1)) expect(upcast(1, raw)).toEqual(raw);
  });

  it('has a golden corpus for every schema, and it shows every field of the newest', () => {
    for (let schema = 1; schema <= TRACKED_EVENT_SCHEMA; schema++) {
      expect(golden(schema).length).toBeGreaterThan(0);
    }
    const shown = new Set(golden(TRACKED_EVENT_SCHEMA).flatMap((event) => Object.keys(event as object)));
    expect([...shown].sort()).toEqual(Object.keys(fieldsOfToday).sort());
  });

  it.each([0, TRACKED_EVENT_SCHEMA + 1, -1, 1.5])('refuses schema %d, which nobody wrote', (schema) => {
    expect(() => upcast(schema, {})).toThrow(UnknownEventSchemaError);
  });
});
