// Identifiers and keys that nobody can guess, drawn without bias: from the system's generator, or, for
// a request that may be sent again, from that request's own secret seed, so that it draws the same again.
// An id has 64 bits. An API key is `tm_`, 26 characters with 154 bits, and 6 that are their CRC-32, by
// which a scanner for leaked secrets tells a key from text that looks like one.
import { createHmac, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Without 0, O, I and l, which people confuse. */
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BASE62 = `0${BASE58}OIl`;
const ID_CHARACTERS = 11;
const KEY_MARK = 'tm_';
const KEY_CHARACTERS = 26;
const CHECKSUM_CHARACTERS = 6;
const KEY_PREFIX_CHARACTERS = 10;
const SECRET_CHARACTERS = 32;
const RECOVERY_CODE_CHARACTERS = 10;

/** Where ids and keys come from. */
export interface IdSource {
  /** @param prefix says what it is the id of. */
  newId(prefix: string): string;
  newApiKey(): string;
}

/** A whole number from 0, below `end`. */
type Draw = (end: number) => number;

const draw = (alphabet: string, characters: number, next: Draw): string =>
  Array.from({ length: characters }, () => alphabet[next(alphabet.length)]).join('');

function apiKey(next: Draw): string {
  const drawn = KEY_MARK + draw(BASE62, KEY_CHARACTERS, next);
  return drawn + checksum(drawn);
}

function checksum(text: string): string {
  let rest = crc32(text);
  const nextDigit: Draw = (base) => {
    const digit = rest % base;
    rest = Math.floor(rest / base);
    return digit;
  };
  return draw(BASE62, CHECKSUM_CHARACTERS, nextDigit);
}

export const CHANCE: IdSource = {
  newId: (prefix) => prefix + draw(BASE58, ID_CHARACTERS, randomInt),
  newApiKey: () => apiKey(randomInt),
};

/** Whoever has it may do what it stands for: 190 bits. */
export const newSecret = (): string => draw(BASE62, SECRET_CHARACTERS, randomInt);

/** Typed by people; 58 bits, and as few tries as anybody has at a code. */
export const newRecoveryCode = (): string => draw(BASE58, RECOVERY_CODE_CHARACTERS, randomInt);

/** The first id of a prefix that it gives is the same for the same seed, so is the second, and so on. */
export function seededIds(seed: Buffer): IdSource {
  const drawn = new Map<string, number>();
  const drawFor = (purpose: string): Draw => {
    const turn = drawn.get(purpose) ?? 0;
    drawn.set(purpose, turn + 1);
    return seededDraw(seed, `${purpose} ${turn}`);
  };
  return {
    newId: (prefix) => prefix + draw(BASE58, ID_CHARACTERS, drawFor(`id ${prefix}`)),
    newApiKey: () => apiKey(drawFor('API key')),
  };
}

function seededDraw(seed: Buffer, purpose: string): Draw {
  let bytes = Buffer.alloc(0);
  let used = 0;
  let block = 0;
  return (end) => {
    for (;;) {
      if (used === bytes.length) {
        bytes = createHmac('sha256', seed).update(`${purpose} ${block++}`).digest();
        used = 0;
      }
      const byte = bytes[used++]!;
      // What is beyond the last multiple would make the first characters likelier.
      if (byte < 256 - (256 % end)) return byte % end;
    }
  };
}

/** What is kept of a key in the clear, to recognise it by; 113 bits stay unknown. */
export const keyPrefix = (key: string): string => key.slice(0, KEY_PREFIX_CHARACTERS);
