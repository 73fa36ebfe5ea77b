import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { arbitraryEvent } from '../../test/arbitrary-events.js';
import { NEWER_SCHEMA, withSchema } from '../../test/newer-batch.js';
import type { TrackedEvent } from '../events/tracked-event.js';
import { UnknownEventSchemaError } from '../events/upcasters.js';
import { DamagedBatchError, decodeBatch, encodeBatch, encodedBytes, encodeEvent } from './batch-codec.js';
import { copySlice, decodeSlice, GrowingBatch, sliceBatch, sliceEvents } from './batch-slices.js';

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/tracked-event.v1.json', import.meta.url), 'utf8'),
) as TrackedEvent[];

function stored(events: readonly TrackedEvent[]): Buffer {
  const encoded = events.map(encodeEvent);
  return encodeBatch(encoded, 1, Buffer.alloc(encodedBytes(encoded)));
}

/** Text that looks like what the cutting looks for, from within strings. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 5 }),
      fc.constantFrom('},{"id":"', '{"id":"', '","site":"', ',"visitor":"', '"previousVisitor"'),
      fc.constantFrom('previousVisitor', ',"previousVisitor":"', '"', '\\', '\\"', '{', '}', ',', 'é', '😀'),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));
const hex = fc.stringMatching(/^[0-9a-f]{16}$/);

/** As intake writes it, but for what people say. */
const usual: fc.Arbitrary<TrackedEvent> = fc
  .record({
    id: fc.uuid(),
    site: fc.stringMatching(/^[a-z0-9]{1,12}$/),
    name: nasty,
    occurredAt: fc.nat(),
    receivedAt: fc.nat(),
    visitor: hex,
    previousVisitor: fc.option(hex, { nil: undefined }),
    title: nasty,
    place: fc.option(fc.record({ city: nasty }), { nil: undefined }),
    props: fc.option(fc.dictionary(nasty, fc.oneof(nasty, fc.boolean(), fc.double({ noNaN: true }))), {
      nil: undefined,
    }),
  })
  .map((event) => JSON.parse(JSON.stringify(event)) as TrackedEvent);

/** Fields in any order, and nasty text in all of them. */
const unusual: fc.Arbitrary<TrackedEvent> = fc
  .tuple(usual, fc.dictionary(fc.constantFrom('id', 'site', 'visitor', 'previousVisitor'), nasty), fc.nat())
  .map(([event, texts, seed]) => {
    const fields = Object.entries({ ...event, ...texts });
    const turn = seed % fields.length;
    return Object.fromEntries([...fields.slice(turn), ...fields.slice(0, turn)]) as unknown as TrackedEvent;
  });

function expectSlices(events: readonly TrackedEvent[]): void {
  const bytes = stored(events);
  const slices = sliceBatch(bytes);
  expect(slices.map(decodeSlice)).toEqual(decodeBatch(bytes).events);
  expect(slices.map(({ site, visitor, previousVisitor }) => ({ site, visitor, previousVisitor }))).toEqual(
    events.map(({ site, visitor, previousVisitor }) => ({ site, visitor, previousVisitor })),
  );
}

describe('the slices of a batch', () => {
  it('are its events, whatever is in them and in whichever order', () => {
    const event = fc.oneof({ weight: 3, arbitrary: usual }, unusual, arbitraryEvent);
    fc.assert(fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), expectSlices), { numRuns: 1_000 });
  });

  it('are its own bytes where it is as intake writes it', () => {
    const plain = fc.array(
      usual.map((event) => ({ ...event, name: 'pageview', props: { previousVisitor: '},{' } })),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(plain, (events) => {
        const bytes = stored(events);
        expect(sliceBatch(bytes).every((slice) => slice.bytes === bytes)).toBe(true);
      }),
    );
  });

  it.each([
    ['a field comes before the site', { ...golden[0]!, id: undefined, name: 'a' }],
    ['the id has an escape in it', { ...golden[0]!, id: 'a"b' }],
    ['the visitor is not ASCII', { ...golden[0]!, visitor: 'é' }],
    ['a property is called as a field is', { ...golden[0]!, props: { a: 1, previousVisitor: 'x' } }],
    ['braces come before the visitor', { ...golden[0]!, name: '{' }],
  ])('are encoded anew where %s', (_, event) => {
    const events = [golden[0]!, JSON.parse(JSON.stringify(event)) as TrackedEvent, golden[0]!];
    expectSlices(events);
    const bytes = stored(events);
    expect(sliceBatch(bytes)[0]!.bytes).not.toBe(bytes);
  });

  it('are refused with a batch that is damaged, or that a newer version wrote', () => {
    const whole = stored(golden);
    for (let offset = 0; offset < whole.length; offset++) {
      const damaged = Buffer.from(whole);
      damaged[offset]! ^= 0x10;
      expect(() => sliceBatch(damaged)).toThrow(DamagedBatchError);
    }
    expect(() => sliceBatch(withSchema(NEWER_SCHEMA, whole))).toThrow(UnknownEventSchemaError);
  });

  it('can be copied out of it', () => {
    const copies = sliceBatch(stored(golden)).map(copySlice);
    expect(copies.map(decodeSlice)).toEqual(golden);
    expect(copies.map(({ bytes, end }) => bytes.length - end)).toEqual(golden.map(() => 0));
  });
});

describe('a growing batch', () => {
  it('is what was put into it, byte for byte, again and again', () => {
    const batches = fc.array(fc.array(fc.oneof(usual, unusual), { minLength: 1, maxLength: 40 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(batches, (rounds) => {
        const growing = new GrowingBatch();
        for (const events of rounds) {
          for (const slice of sliceEvents(events)) {
            growing.add(slice);
            growing.seal();
          }
          expect(growing.events).toBe(events.length);
          expect(decodeBatch(growing.seal()).events).toEqual(JSON.parse(JSON.stringify(events)));
          growing.clear();
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes an event that is larger than all it has', () => {
    const growing = new GrowingBatch();
    const large = { ...golden[0]!, title: 'x'.repeat(500_000) };
    for (const slice of sliceEvents([large, golden[0]!])) growing.add(slice);
    expect(decodeBatch(growing.seal()).events).toEqual([large, golden[0]!]);
  });
});
