// Which passwords are refused, as NIST SP 800-63B has it: those that are short, common, or made of the account's
// own address. No rules of composition, and no expiry: they make people choose worse ones.
import { COMMON_PASSWORDS } from './frequent-passwords.js';

export const PASSWORD_CHARACTERS_MIN = 12;
export const PASSWORD_CHARACTERS_MAX = 128;
/** Fewer than so many different ones are a pattern. */
const DIFFERENT_CHARACTERS_MIN = 5;
const OF_ADDRESS_CHARACTERS_MIN = 4;

/** Undefined: may be used. Else what is wrong with it, for `password …`. */
export function passwordFault(password: string, email: string): string | undefined {
  const characters = Array.from(password).length;
  if (characters < PASSWORD_CHARACTERS_MIN) return `must have at least ${PASSWORD_CHARACTERS_MIN} characters`;
  if (characters > PASSWORD_CHARACTERS_MAX) return `must have at most ${PASSWORD_CHARACTERS_MAX} characters`;
  const plain = password.normalize('NFKC').toLowerCase();
  if (COMMON_PASSWORDS.has(plain) || new Set(plain).size < DIFFERENT_CHARACTERS_MIN || isRun(plain)) {
    return 'is too easy to guess';
  }
  return isMadeOf(plain, email) ? 'must not be made of the e-mail address' : undefined;
}

/** abcdefghijkl, 123456789012, 987654321098: each character is the neighbour of the one before. */
function isRun(text: string): boolean {
  const steps = new Set<number>();
  for (let at = 1; at < text.length; at++) {
    steps.add((text.charCodeAt(at) - text.charCodeAt(at - 1) + 10) % 10);
  }
  return steps.size === 1;
}

/** The address, or its local part with a few characters beside it. */
function isMadeOf(password: string, email: string): boolean {
  const local = email.split('@')[0]!;
  if (password === email) return true;
  if (local.length < OF_ADDRESS_CHARACTERS_MIN || !password.includes(local)) return false;
  return password.length - local.length < PASSWORD_CHARACTERS_MIN - OF_ADDRESS_CHARACTERS_MIN;
}
