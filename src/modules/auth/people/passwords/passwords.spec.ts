import { PasswordHashing } from './password-hashing.js';
import { passwordFault } from './password-rules.js';

const hashing = new PasswordHashing({ PASSWORD_HASH_COST: 12 });

describe('a hash', () => {
  it('is of one password, whichever way its letters are put together, and different every time', async () => {
    const hash = await hashing.hash('pässword of some length');
    expect(hash).toMatch(/^\$scrypt\$ln=12,r=8,p=3\$/);
    expect(await hashing.hash('pässword of some length')).not.toBe(hash);
    const decomposed = 'pässword of some length'.normalize('NFD');
    expect(await hashing.check(decomposed, hash)).toEqual({ isRight: true, isOutdated: false });
    expect((await hashing.check('password of some length', hash)).isRight).toBe(false);
  });

  it('of another cost is checked by that, and known to be outdated', async () => {
    const costlier = new PasswordHashing({ PASSWORD_HASH_COST: 13 });
    const hash = await hashing.hash('a password');
    expect(await costlier.check('a password', hash)).toEqual({ isRight: true, isOutdated: true });
    expect(await costlier.check('another', hash)).toEqual({ isRight: false, isOutdated: true });
  });

  it('that is not there fits no password', async () => {
    expect((await hashing.check('a password', undefined)).isRight).toBe(false);
  });

  it('is waited for by so many, and no more', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 110 }, () => hashing.hash('x')));
    const refused = tries.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(8);
    expect((refused[0] as PromiseRejectedResult).reason.options).toMatchObject({ status: 503 });
    expect(await hashing.hash('x')).toMatch(/^\$scrypt/);
  });
});

describe('a password', () => {
  it.each(['correct horse', 'žluťoučký kůň', '🐎🐎🐎🐎🐎🐎🐎a🔋b📎c', 'kim-goes-to-the-shop'])(
    'may be %j',
    (password) => {
      expect(passwordFault(password, 'kim@shop.example')).toBeUndefined();
    },
  );

  it.each([
    ['eleven char', /at least 12/],
    ['🐎'.repeat(11), /at least 12/],
    ['x'.repeat(129), /at most 128/],
    ['aaaaaaaaaaaaaaa', /easy/],
    ['abababababab', /easy/],
    ['abcdefghijkl', /easy/],
    ['987654321098', /easy/],
    ['QWERTY123456', /easy/],
    ['someone@shop.example', /address/],
    ['Someone12345', /address/],
  ])('may not be %j', (password, fault) => {
    expect(passwordFault(password, 'someone@shop.example')).toMatch(fault);
  });
});
