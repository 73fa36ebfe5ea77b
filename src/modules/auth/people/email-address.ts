// E-mail addresses: one spelling for each, so that an account is found however its address is typed, and what it is
// looked up by, which tells nothing about it without the pepper.
import type { KeyPepper } from '../keys/key-pepper.js';

export const EMAIL_CHARACTERS_MAX = 254;

/** Mailboxes that differ in case only are one, as every large provider has it. */
export const normaliseEmail = (email: string): string => email.trim().normalize('NFC').toLowerCase();

export const emailDigest = (pepper: KeyPepper, email: string): string =>
  pepper.digest(`e-mail ${normaliseEmail(email)}`);
