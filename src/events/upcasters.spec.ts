import { readFileSync } from 'node:fs';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from './tracked-event.js';
import { READABLE_SCHEMAS, UnknownEventSchemaError, upcast } from './upcasters.js';

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
  clientHints: true,
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
  it.each([1, 2])('reads schema %d as it was written', (schema) => {
    for (const raw of golden(schema)) expect(upcast(schema, raw)).toEqual(raw);
  });

  it('reads what this version writes, and everything that was written before', () => {
    expect(READABLE_SCHEMAS).toEqual(READABLE_SCHEMAS.map((_, index) => index + 1));
    expect(READABLE_SCHEMAS).toContain(TRACKED_EVENT_SCHEMA);
  });

  it('has a golden corpus for every schema, and it shows every field of the newest', () => {
    for (const schema of READABLE_SCHEMAS) expect(golden(schema).length).toBeGreaterThan(0);
    const shown = new Set(golden(TRACKED_EVENT_SCHEMA).flatMap((event) => Object.keys(event as object)));
    expect([...shown].sort()).toEqual(Object.keys(fieldsOfToday).sort());
  });

  it('shows every kind of event, every kind of value, and an event that has only what it must', () => {
    const events = golden(TRACKED_EVENT_SCHEMA) as TrackedEvent[];
    const names = new Set(events.map(({ name }) => name));
    expect([...names]).toEqual(expect.arrayContaining(['pageview', 'engagement']));
    expect(names.size).toBeGreaterThan(2);
    const values = events.flatMap(({ props = {} }) => Object.values(props));
    expect(new Set(values.map((value) => typeof value))).toEqual(new Set(['string', 'number', 'boolean']));
    const places = events.flatMap(({ place = {} }) => Object.keys(place));
    expect(new Set(places)).toEqual(new Set(['country', 'region', 'city', 'database']));
    const hints = events.flatMap(({ clientHints = {} }) => Object.keys(clientHints));
    expect(new Set(hints)).toEqual(
      new Set(['brands', 'fullVersions', 'platform', 'platformVersion', 'mobile', 'model']),
    );
    const fewest = Math.min(...events.map((event) => Object.keys(event).length));
    const required: {
      [Field in keyof TrackedEvent as undefined extends TrackedEvent[Field] ? never : Field]: true;
    } = { id: true, site: true, name: true, occurredAt: true, receivedAt: true, visitor: true };
    expect(fewest).toBe(Object.keys(required).length);
  });

  it.each([0, Math.max(...READABLE_SCHEMAS) + 1, -1, 1.5])(
    'refuses schema %d, which nobody wrote',
    (schema) => {
      expect(() => upcast(schema, {})).toThrow(UnknownEventSchemaError);
    },
  );
});
