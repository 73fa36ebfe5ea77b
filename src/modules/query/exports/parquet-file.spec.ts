import { gunzipSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { ExportColumns } from './export-columns.js';
import { ParquetFile } from './parquet-file.js';

interface Row {
  readonly n: number;
  readonly at: number | null;
  readonly props: object | null;
}

const COLUMNS: ExportColumns<Row> = {
  n: { type: 'integer', meaning: 'number', of: ({ n }) => n },
  at: { type: 'time', optional: true, meaning: 'when', of: ({ at }) => at },
  text: { type: 'text', meaning: 'text', of: ({ n }) => `№ ${n}` },
  odd: { type: 'flag', meaning: 'whether', of: ({ n }) => n % 2 === 1 },
  props: { type: 'json', optional: true, meaning: 'what', of: ({ props }) => props },
};

const rowOf = (n: number): Row => ({
  n: n * 2 ** 40,
  at: n % 3 === 0 ? null : 1_793_786_400_000 + n,
  props: n % 2 === 0 ? { n, text: 'a "b" ü', list: true } : null,
});

/** Taken away again and again while it is written. */
function written(rows: number, limits = { rowGroupRows: 10, rowGroups: 100 }): Buffer {
  const file = new ParquetFile('rows', COLUMNS, limits);
  const pieces: Buffer[] = [];
  for (let n = 0; n < rows; n++) {
    file.add(rowOf(n));
    if (n % 7 === 0) pieces.push(file.take());
  }
  return Buffer.concat([...pieces, file.end()]);
}

const bufferOf = (bytes: Buffer): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;

it.each([0, 1, 9, 10, 11, 95])(
  'of %d rows, given away in pieces, is read whole by another program',
  async (count) => {
    const buffer = bufferOf(written(count));
    const file = {
      byteLength: buffer.byteLength,
      slice: (from: number, to?: number) => buffer.slice(from, to),
    };
    const compressors = { GZIP: (page: Uint8Array) => new Uint8Array(gunzipSync(page)) };
    expect(await parquetReadObjects({ file, compressors })).toEqual(
      Array.from({ length: count }, (_, n) => {
        const row = rowOf(n);
        return {
          n: BigInt(row.n),
          at: row.at === null ? null : new Date(row.at),
          text: `№ ${row.n}`,
          odd: false,
          props: row.props,
        };
      }),
    );
    expect(parquetMetadata(buffer).row_groups).toHaveLength(Math.ceil(count / 10));
  },
);

it('refuses more row groups than a process can remember', () => {
  expect(written(30, { rowGroupRows: 10, rowGroups: 3 }).length).toBeGreaterThan(0);
  expect(() => written(31, { rowGroupRows: 10, rowGroups: 3 })).toThrow(/may have 3 row groups/);
});

it('ends a row group where its texts are long', () => {
  const file = new ParquetFile('rows', COLUMNS);
  for (let n = 0; n < 5; n++) file.add({ n, at: null, props: { note: 'x'.repeat(1_000_000) } });
  expect(parquetMetadata(bufferOf(Buffer.concat([file.take(), file.end()]))).row_groups).toHaveLength(1);
  const long = new ParquetFile('rows', COLUMNS);
  for (let n = 0; n < 9; n++) long.add({ n, at: null, props: { note: 'x'.repeat(1_000_000) } });
  expect(parquetMetadata(bufferOf(Buffer.concat([long.take(), long.end()]))).row_groups).toHaveLength(2);
});
