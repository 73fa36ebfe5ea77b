// Personal data under keys that can be destroyed, on a real PostgreSQL.
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { KeyPepper } from '../keys/key-pepper.js';
import { decrypt, encrypt } from './encryption.js';
import { Sealer } from './sealing.js';

const pepper = new KeyPepper('a pepper of more than 32 characters, surely');
let postgres: MigratedPostgres;
let sealer: Sealer;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  sealer = new Sealer(postgres.pool, pepper);
});
afterAll(() => postgres.stop());

it('opens what was sealed for the same subject, and for no other', async () => {
  const sealed = await sealer.seal('person-a', 'kim@shop.example');
  await sealer.seal('person-b', 'jo@shop.example');
  expect(sealed).not.toContain('kim');
  expect(await sealer.open('person-a', sealed)).toBe('kim@shop.example');
  expect(await sealer.open('person-b', sealed)).toBeUndefined();
  expect(await sealer.open('person-c', sealed)).toBeUndefined();
});

it('seals the same text differently every time', async () => {
  const twice = [await sealer.seal('person-d', 'x'), await sealer.seal('person-d', 'x')];
  expect(new Set(twice).size).toBe(2);
});

it('opens nothing any more once the key is destroyed, on any node, and what is sealed later only', async () => {
  const sealed = await sealer.seal('person-e', 'secret');
  const other = new Sealer(postgres.pool, pepper);
  expect(await other.open('person-e', sealed)).toBe('secret');
  await sealer.destroy('person-e');
  expect(await other.open('person-e', sealed)).toBeUndefined();
  const later = await sealer.seal('person-e', 'anew');
  expect([await other.open('person-e', sealed), await other.open('person-e', later)]).toEqual([
    undefined,
    'anew',
  ]);
});

it('makes one key for a subject, however many seal at the same time', async () => {
  const sealed = await Promise.all(Array.from({ length: 20 }, (_, n) => sealer.seal('person-f', `${n}`)));
  const opened = await Promise.all(sealed.map((one) => sealer.open('person-f', one)));
  expect(opened).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
});

it('keeps keys so that the database without the pepper opens nothing', async () => {
  const sealed = await sealer.seal('person-g', 'secret');
  const thief = new Sealer(postgres.pool, new KeyPepper('another pepper of more than 32 characters'));
  await expect(thief.open('person-g', sealed)).rejects.toThrow('damaged');
});

it('notices every bit that was changed', () => {
  const key = Buffer.alloc(32, 7);
  const bytes = Buffer.from(encrypt('text', { key, context: 'c' }), 'base64url');
  expect(decrypt(bytes.toString('base64url'), { key, context: 'c' })?.toString()).toBe('text');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(decrypt(changed.toString('base64url'), { key, context: 'c' })).toBeUndefined();
  }
  expect(decrypt('', { key, context: 'c' })).toBeUndefined();
});
