import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { inflateIfGzipped, LINE_BYTES_MAX, readLines, TOO_LONG } from './line-reader.js';

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function linesOf(bytes: Buffer, sizes: readonly number[] = []): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of readLines(inflateIfGzipped(cut(bytes, sizes)))) {
    lines.push(...some.map((line) => (line === TOO_LONG ? 'TOO LONG' : line.toString('latin1'))));
  }
  return lines;
}

describe('readLines', () => {
  it('gives every line, the last one with or without its line end', async () => {
    expect(await linesOf(Buffer.from('a\nb\n\nc'))).toEqual(['a', 'b', '', 'c']);
    expect(await linesOf(Buffer.from('a\nb\n'))).toEqual(['a', 'b']);
    expect(await linesOf(Buffer.from(''))).toEqual([]);
  });

  it('takes a carriage return for part of the line end', async () => {
    expect(await linesOf(Buffer.from('a\r\nb\r\nc\r'))).toEqual(['a', 'b', 'c']);
  });

  it('gives the same lines however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\u00ff', '\0')),
        fc.array(fc.nat({ max: 4 })),
        fc.boolean(),
        async (parts, sizes, gzipped) => {
          const text = parts.join('');
          const plain = Buffer.from(text, 'latin1');
          const expected = text.split('\n').map((line) => line.replace(/\r$/, ''));
          if (text === '' || text.endsWith('\n')) expected.pop();
          expect(await linesOf(gzipped ? gzipSync(plain) : plain, sizes)).toEqual(expected);
        },
      ),
    );
  });

  it('passes over a line that is too long and goes on with the next', async () => {
    const fits = 'x'.repeat(LINE_BYTES_MAX);
    const bytes = Buffer.from(`a\n${fits}\n${fits}y\n${fits.repeat(3)}\nb\n${fits}z`);
    const sizes = Array.from({ length: 20 }, () => 17_000);
    expect(await linesOf(bytes, sizes)).toEqual(['a', fits, 'TOO LONG', 'TOO LONG', 'b', 'TOO LONG']);
    expect(await linesOf(bytes)).toEqual(['a', fits, 'TOO LONG', 'TOO LONG', 'b', 'TOO LONG']);
  });

  it('keeps no more than a line of input that never ends one', async () => {
    const chunk = Buffer.alloc(1_048_576, 'x');
    async function* endless(): AsyncGenerator<Buffer> {
      for (let chunks = 0; chunks < 400; chunks++) yield Buffer.from(chunk);
      yield Buffer.from('\nend\n');
    }
    const before = process.memoryUsage().rss;
    const lines: unknown[] = [];
    for await (const some of readLines(endless())) lines.push(...some);
    expect(lines).toEqual([TOO_LONG, Buffer.from('end')]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1_048_576);
  });
});

describe('inflateIfGzipped', () => {
  it('reads gzip members one after the other, as rotated logs are joined', async () => {
    const joined = Buffer.concat([gzipSync('a\n'), gzipSync('b\n')]);
    expect(await linesOf(joined, [1, 1, 5])).toEqual(['a', 'b']);
  });

  it('fails on gzip that is cut off, after what could be read', async () => {
    const digest = (index: number): string => createHash('sha256').update(String(index)).digest('hex');
    const text = Array.from({ length: 20_000 }, (_, index) => `${digest(index)}\n`).join('');
    const whole = gzipSync(text);
    const lines: unknown[] = [];
    const reading = (async () => {
      for await (const some of readLines(inflateIfGzipped(cut(whole.subarray(0, whole.length / 2), [])))) {
        lines.push(...some);
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'Z_BUF_ERROR' });
    expect(lines.length).toBeGreaterThan(5_000);
  });

  it('passes on an error of the source', async () => {
    async function* failing(): AsyncGenerator<Buffer> {
      yield gzipSync('a\n').subarray(0, 12);
      throw Object.assign(new Error('disk'), { code: 'EIO' });
    }
    const reading = (async () => {
      for await (const chunk of inflateIfGzipped(failing())) expect(chunk).toBeDefined();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'EIO' });
  });
});
