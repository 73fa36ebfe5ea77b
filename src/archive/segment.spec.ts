import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { gunzipSync } from 'node:zlib';
import { arbitraryBatches } from '../../test/arbitrary-events.js';
import { TRACKED_EVENT_SCHEMA, type TrackedEvent } from '../events/tracked-event.js';
import type { RecordedBatch } from '../tracking-log/tracking-log.js';
import { COLUMNS } from './segment-columns.js';
import { readSegment, UnknownSegmentFormatError } from './segment-reader.js';
import { SegmentWriter, type WrittenSegment } from './segment-writer.js';

const golden = JSON.parse(
  readFileSync(new URL('../../test/golden/tracked-event.v2.json', import.meta.url), 'utf8'),
) as TrackedEvent[];

function written(batches: readonly RecordedBatch[], partition = 3): WrittenSegment {
  const writer = new SegmentWriter({ partition, after: null });
  for (const batch of batches) writer.add(batch);
  return writer.finish(writer.range!, 7);
}

async function read(bytes: Uint8Array): Promise<RecordedBatch[]> {
  const batches: RecordedBatch[] = [];
  for await (const batch of readSegment(bytes)) batches.push(batch);
  return batches;
}

function plain(event: number): TrackedEvent {
  const at = 1_793_786_400_000 + event;
  return { id: `e-${event}`, site: 's', name: 'pageview', occurredAt: at, receivedAt: at, visitor: 'v' };
}

describe('a segment', () => {
  it('gives back exactly the batches that were written', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryBatches, async (batches) => {
        const back = await read(written(batches).bytes);
        expect(back).toStrictEqual(batches);
      }),
      { numRuns: 200 },
    );
  });

  it('gives back every field of every kind of event', async () => {
    const batches = [{ position: '9', appendedAt: 1_793_786_500_000, events: golden }];
    expect(await read(written(batches).bytes)).toStrictEqual(batches);
  });

  it('says in columns what columns can say, and the whole event only where they cannot', async () => {
    const half = { ...golden[0]!, title: 'half a pair: \ud83d' };
    const { bytes } = written([{ position: '9', appendedAt: 1_793_786_500_000, events: [...golden, half] }]);
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
      compressors: { GZIP: (page) => gunzipSync(page) },
    });
    expect(Object.keys(rows[0]!)).toEqual(COLUMNS.map(({ name }) => name));
    expect(rows[0]).toMatchObject({
      ...{
        partition: 3,
        position: '9',
        index: 0,
        appended_at: new Date(1_793_786_500_000),
        schema: TRACKED_EVENT_SCHEMA,
      },
      ...{ id: golden[0]!.id, url: golden[0]!.url, title: golden[0]!.title, city: 'Wien', json: null },
      ...{ occurred_at: new Date(golden[0]!.occurredAt), props: null, revenue_amount: null },
    });
    expect(rows[2]).toMatchObject({
      ...{ index: 2, visitor_given: true, revenue_amount: '1999.90', revenue_currency: 'EUR', json: null },
      props: '{"plan":"größer","seats":3,"trial":false}',
    });
    expect(rows[golden.length]).toMatchObject({ id: half.id, title: null, json: JSON.stringify(half) });
  });

  it('has row groups of whole batches, small enough to be held as objects', async () => {
    const batches = Array.from({ length: 250 }, (_, batch) => ({
      position: String(batch + 1),
      appendedAt: 1_793_786_500_000 + batch,
      events: Array.from({ length: 200 }, (__, event) => plain(batch * 200 + event)),
    }));
    const { bytes, segment } = written(batches);
    const { row_groups: groups } = parquetMetadata(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    );
    expect(groups.map(({ num_rows: rows }) => Number(rows))).toEqual([16_400, 16_400, 16_400, 800]);
    expect(segment.events).toBe(50_000);
    expect(JSON.stringify(await read(bytes)) === JSON.stringify(batches)).toBe(true);
  });

  it('ends a row group early when its texts are long', async () => {
    const batches = Array.from({ length: 60 }, (_, batch) => ({
      position: String(batch + 1),
      appendedAt: 1_793_786_500_000,
      events: [{ ...plain(batch), title: String(batch % 10).repeat(400_000) }],
    }));
    const { bytes } = written(batches);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    expect(parquetMetadata(file).row_groups.length).toBe(3);
    expect(await read(bytes)).toStrictEqual(batches);
  });

  it('is described by its positions and its content, and so named', () => {
    const batches = [
      { position: '41', appendedAt: 5, events: [plain(1)] },
      { position: '42/7', appendedAt: 9, events: [plain(2), plain(3)] },
    ];
    const { segment, bytes } = written(batches);
    expect(segment).toMatchObject({
      ...{
        partition: 3,
        after: null,
        first: '41',
        last: '42/7',
        events: 3,
        bytes: bytes.length,
        schema: TRACKED_EVENT_SCHEMA,
      },
      ...{ firstAppendedAt: 5, lastAppendedAt: 9, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(segment.object).toBe(`partition-0003/r00000007_41_42-7_${segment.sha256.slice(0, 16)}.parquet`);
  });

  it('of a newer format is refused', async () => {
    const { bytes } = written([{ position: '1', appendedAt: 5, events: [plain(1)] }]);
    const text = Buffer.from(bytes)
      .toString('latin1')
      .replace('tidemark.format\x18\x011', 'tidemark.format\x18\x012');
    expect(text).not.toBe(Buffer.from(bytes).toString('latin1'));
    await expect(read(Buffer.from(text, 'latin1'))).rejects.toThrow(UnknownSegmentFormatError);
  });
});
