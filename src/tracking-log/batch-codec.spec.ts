import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import type { TrackedEvent } from '../events/tracked-event.js';
import {
  appendedAtOf,
  DamagedBatchError,
  decodeBatch,
  encodeBatch,
  encodedBytes,
  encodeEvent,
} from './batch-codec.js';

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/tracked-event.v1.json', import.meta.url), 'utf8'),
) as TrackedEvent[];

function stored(events: readonly TrackedEvent[], appendedAt = 1_793_786_500_000): Buffer {
  const encoded = events.map(encodeEvent);
  return encodeBatch(encoded, appendedAt, Buffer.alloc(encodedBytes(encoded) + 10));
}

const event = fc.record({
  id: fc.uuid(),
  site: fc.string({ minLength: 1, unit: 'binary' }),
  name: fc.string({ unit: 'grapheme' }),
  occurredAt: fc.integer({ min: 0, max: 8.64e15 }),
  receivedAt: fc.integer({ min: 0, max: 8.64e15 }),
  visitor: fc.constant('00a1b2c3d4e5f607'),
  title: fc.string({ unit: 'binary' }),
});

describe('batch codec', () => {
  it('gives back what it was given', () => {
    expect(decodeBatch(stored(golden, 123.5))).toEqual({ appendedAt: 123.5, events: golden });
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), (events) => {
        expect(decodeBatch(stored(events)).events).toEqual(events);
      }),
    );
  });

  it('knows the size before it encodes, lone surrogates and all', () => {
    const events = [...golden, { ...golden[0]!, title: '\ud800 \u{1f600} ä' }].map(encodeEvent);
    expect(encodeBatch(events, 1, Buffer.alloc(10_000))).toHaveLength(encodedBytes(events));
  });

  it('reads the time of the append from the header alone', () => {
    expect(appendedAtOf(stored(golden, 42))).toBe(42);
  });

  it('refuses a batch in which any one byte is damaged', () => {
    const whole = stored(golden.slice(0, 1));
    for (let offset = 0; offset < whole.length; offset++) {
      const damaged = Buffer.from(whole);
      damaged[offset]! ^= 0x10;
      expect(() => decodeBatch(damaged)).toThrow(DamagedBatchError);
    }
  });

  it('refuses a batch cut off anywhere', () => {
    const whole = stored(golden.slice(0, 1));
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeBatch(whole.subarray(0, length))).toThrow(DamagedBatchError);
    }
  });

  it('refuses events of a schema it does not know, by name', () => {
    const bytes = stored(golden);
    bytes.writeUInt16LE(99, 2);
    const sumOffset = bytes.length - 4;
    bytes.writeUInt32LE(crc32(bytes.subarray(0, sumOffset)), sumOffset);
    expect(() => decodeBatch(bytes)).toThrow('schema 99');
  });
});
