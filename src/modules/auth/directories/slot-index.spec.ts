import fc from 'fast-check';
import { OwnedSlots } from './owned-slots.js';
import { hashOf, SlotIndex } from './slot-index.js';

/** Hashes that collide, and some that lie at the end, from where probing goes on at the beginning. */
const hash = fc.constantFrom(0, 1, 2, 1_023, 1_022, 0xff_ff_ff_ff, 2_047, 4_095);
const step = fc.record({ hash, slot: fc.nat(30), isAdded: fc.boolean() });

it('finds what was added and not removed, however hashes collide', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const index = new SlotIndex();
      const expected = new Set<string>();
      for (const { hash, slot, isAdded } of steps) {
        const entry = `${hash} ${slot}`;
        if (isAdded && !expected.has(entry)) index.add(hash, slot);
        if (!isAdded) index.remove(hash, slot);
        expected[isAdded ? 'add' : 'delete'](entry);
      }
      for (const { hash } of steps) {
        for (let slot = 0; slot <= 30; slot++) {
          const found = index.find(hash, (candidate) => candidate === slot);
          expect(found).toBe(expected.has(`${hash} ${slot}`) ? slot : undefined);
        }
      }
    }),
  );
});

it('holds many, and grows with them', () => {
  const index = new SlotIndex();
  const many = 50_000;
  for (let slot = 0; slot < many; slot++) index.add(hashOf(`id ${slot}`), slot);
  for (let slot = 0; slot < many; slot += 2) index.remove(hashOf(`id ${slot}`), slot);
  const found = Array.from({ length: many }, (_, n) => index.find(hashOf(`id ${n}`), (slot) => slot === n));
  expect(found).toEqual(Array.from({ length: many }, (_, n) => (n % 2 === 0 ? undefined : n)));
});

it('hashes texts of the same make apart', () => {
  const hashes = new Set(Array.from({ length: 100_000 }, (_, n) => hashOf(`shop-${n}.example`) >>> 12));
  // Of 2^20 places, as many as 100,000 thrown by chance would take: 95,300.
  expect(hashes.size).toBeGreaterThan(94_500);
});

it('knows what belongs to whom after any additions and removals', () => {
  const owner = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(fc.record({ owner, slot: fc.nat(20) }), { maxLength: 100 }), (steps) => {
      const owned = new OwnedSlots();
      const ownerOf = new Map<number, string>();
      for (const { owner, slot } of steps) {
        const before = ownerOf.get(slot);
        if (before === undefined) owned.add(owner, slot);
        else owned.remove(before, slot);
        if (before === undefined) ownerOf.set(slot, owner);
        else ownerOf.delete(slot);
      }
      for (const each of ['a', 'b', 'c']) {
        const expected = [...ownerOf].filter(([, owner]) => owner === each).map(([slot]) => slot);
        expect([...owned.of(each)].toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
      }
    }),
  );
});
