import fc from 'fast-check';
import { PackedRecords } from './packed-records.js';

it('gives back what was put in, after any changes and removals', () => {
  const records = new PackedRecords();
  const expected = new Map<number, string>();
  const change = fc.record({ pick: fc.nat(), kind: fc.nat(9), length: fc.nat(20_000), text: fc.string() });
  // Far more than a megabyte in all, so that chunks are emptied and used again.
  for (const { pick, kind, length, text } of fc.sample(change, { numRuns: 5_000, seed: 3 })) {
    const record = `${text}é𝄞${'x'.repeat(length)}`;
    const slot = [...expected.keys()][pick % expected.size];
    if (kind < 4 || slot === undefined) {
      const added = records.add(record);
      expect(expected.has(added)).toBe(false);
      expected.set(added, record);
    } else if (kind < 7) {
      records.replace(slot, record);
      expected.set(slot, record);
    } else {
      records.remove(slot);
      expected.delete(slot);
    }
  }
  expect(records.size).toBe(expected.size);
  expect(new Map(Array.from(records.slots(), (slot) => [slot, records.get(slot)]))).toEqual(expected);
});

it('takes no more room for a record that is changed again and again', () => {
  const records = new PackedRecords();
  const record = 'x'.repeat(60_000);
  const slots = Array.from({ length: 40 }, () => records.add(record));
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 4_000; n++) records.replace(slots[n % slots.length]!, record);
  // Kept, they would be 240 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});

it('refuses a record that is too long, and is as it was before', () => {
  const records = new PackedRecords();
  const slot = records.add('short');
  expect(() => records.add('x'.repeat(65_536))).toThrow(RangeError);
  expect(() => records.replace(slot, 'é'.repeat(32_768))).toThrow(RangeError);
  expect([records.size, records.get(slot)]).toEqual([1, 'short']);
});
