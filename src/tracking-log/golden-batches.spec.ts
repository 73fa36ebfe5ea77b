// Every batch that some version ever wrote stays readable, byte for byte. When this fails because a file
// is missing: write tracked-event.v{schema}.json, then `node scripts/write-golden-batch.mjs {schema}`.
import { readdirSync, readFileSync } from 'node:fs';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from '../events/tracked-event.js';
import { READABLE_SCHEMAS, UnknownEventSchemaError, upcast } from '../events/upcasters.js';
import { appendedAtOf, decodeBatch, encodeBatch, encodedBytes, encodeEvent } from './batch-codec.js';
import { type EncodedBatch, recordedBatch, UnknownBatchError } from './tracking-log.js';

const GOLDEN = new URL('../../test/golden/', import.meta.url);
const APPENDED_AT = 1_793_786_500_000;
const PARTITION = 3;
const POSITION = '17';

const bytesOf = (name: string): Buffer => readFileSync(new URL(name, GOLDEN));
const encoded = (bytes: Buffer): EncodedBatch => ({
  position: POSITION,
  appendedAt: appendedAtOf(bytes),
  bytes,
});
const eventsOf = (schema: number) =>
  JSON.parse(bytesOf(`tracked-event.v${schema}.json`).toString()) as unknown[];

describe('the golden corpus', () => {
  it('has the events and the bytes of every schema, and nothing that is not read here', () => {
    const expected = READABLE_SCHEMAS.flatMap((schema) => [
      `tracked-batch.v${schema}.bin`,
      `tracked-event.v${schema}.json`,
    ]);
    expect(readdirSync(GOLDEN).sort()).toEqual(['tracked-batch.newer.bin', ...expected].sort());
  });

  it.each(READABLE_SCHEMAS)('is read: the bytes of schema %d', (schema) => {
    const events = eventsOf(schema).map((raw) => upcast(schema, raw));
    const bytes = bytesOf(`tracked-batch.v${schema}.bin`);
    expect(bytes.readUInt16LE(2)).toBe(schema);
    expect(decodeBatch(bytes)).toEqual({ appendedAt: APPENDED_AT, events });
    const recorded = { position: POSITION, appendedAt: APPENDED_AT, events };
    for (const unknownBatches of ['stop', 'pass-over'] as const) {
      expect(recordedBatch(encoded(bytes), PARTITION, unknownBatches)).toEqual(recorded);
    }
  });

  it('is what this version writes, to the byte', () => {
    const encoded = (eventsOf(TRACKED_EVENT_SCHEMA) as TrackedEvent[]).map(encodeEvent);
    const bytes = encodeBatch(encoded, APPENDED_AT, Buffer.alloc(encodedBytes(encoded)));
    expect(bytes).toEqual(bytesOf(`tracked-batch.v${TRACKED_EVENT_SCHEMA}.bin`));
  });
});

describe('a batch of a newer version', () => {
  const bytes = bytesOf('tracked-batch.newer.bin');

  it('is whole, and of a schema that no version will reach', () => {
    expect(() => decodeBatch(bytes)).toThrow(UnknownEventSchemaError);
    expect(bytes.readUInt16LE(2)).toBe(65_535);
  });

  it.each(['stop', undefined] as const)(
    'stops whoever reads with %s, and says where and why',
    (unknownBatches) => {
      const reading = () => recordedBatch(encoded(bytes), PARTITION, unknownBatches);
      expect(reading).toThrow(UnknownBatchError);
      expect(reading).toThrow(
        'Partition 3 holds at position 17 a batch of 3 events of schema 65535, which this version cannot read',
      );
    },
  );

  it('is passed over with its bytes, which do not keep a larger buffer in memory', () => {
    const within = Buffer.concat([bytes, Buffer.alloc(100_000)]).subarray(0, bytes.length);
    const { unknown, ...known } = recordedBatch(encoded(within), PARTITION, 'pass-over');
    expect(known).toEqual({ position: '17', appendedAt: 4_102_444_802_000, events: [] });
    expect(unknown).toEqual({ schema: 65_535, events: 3, bytes });
    expect(unknown!.bytes.buffer.byteLength).toBeLessThan(100_000);
  });

  it('that is damaged is refused, not passed over', () => {
    const damaged = Buffer.from(bytes);
    damaged[40]! ^= 1;
    expect(() => recordedBatch(encoded(damaged), PARTITION, 'pass-over')).toThrow('checksum');
  });
});
