// Identifiers and keys that nobody can guess: drawn from the system's generator without bias.
// An id has 64 bits, a secret such as an API key 190.
import { randomInt } from 'node:crypto';

/** Without 0, O, I and l, which people confuse. */
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BASE62 = `0${BASE58}OIl`;
const ID_CHARACTERS = 11;
const KEY_CHARACTERS = 32;
const KEY_PREFIX_CHARACTERS = 10;
const RECOVERY_CODE_CHARACTERS = 10;

const draw = (alphabet: string, characters: number): string =>
  Array.from({ length: characters }, () => alphabet[randomInt(alphabet.length)]).join('');

/** @param prefix says what it is the id of. */
export const newId = (prefix: string): string => `${prefix}${draw(BASE58, ID_CHARACTERS)}`;
export const newSiteId = (): string => newId('s');
export const newPersonId = (): string => newId('p');
export const newKeyId = (): string => newId('k');
export const newJobId = (): string => newId('j');
export const newRebuildId = (): string => newId('r');
export const newApiKey = (): string => `tm_${newSecret()}`;
export const newSecret = (): string => draw(BASE62, KEY_CHARACTERS);

/** Typed by people; 58 bits, and as few tries as anybody has at a code. */
export const newRecoveryCode = (): string => draw(BASE58, RECOVERY_CODE_CHARACTERS);

/** What is kept of a key in the clear, to recognise it by; 150 bits stay unknown. */
export const keyPrefix = (key: string): string => key.slice(0, KEY_PREFIX_CHARACTERS);
