// What a link in a mail carries, and the secret of a one-time code before it is confirmed: sealed texts under a key
// derived from the pepper, so that nothing is stored for those that never come back. Who made it and until when it
// is good is inside; that it works once follows from the person's stream, which its use changes.
import type { KeyPepper } from '../../keys/key-pepper.js';
import { decrypt, encrypt } from '../encryption.js';

const MINUTE_MS = 60_000;

/** How long each is good. */
const LIFE_MS = {
  'verify-email': 48 * 60 * MINUTE_MS,
  'change-email': 24 * 60 * MINUTE_MS,
  'reset-password': 60 * MINUTE_MS,
  'enrol-totp': 15 * MINUTE_MS,
} as const;

interface Contents {
  readonly 'verify-email': { readonly person: string; readonly emailDigest: string };
  readonly 'change-email': { readonly person: string; readonly email: string; readonly generation: number };
  readonly 'reset-password': { readonly person: string; readonly generation: number };
  readonly 'enrol-totp': { readonly person: string; readonly secret: string };
}

export type TokenPurpose = keyof Contents;
export const TOKEN_CHARACTERS_MAX = 1_000;

export class MailedTokens {
  readonly #key: Buffer;

  constructor(
    pepper: KeyPepper,
    private readonly nowMs: () => number = Date.now,
  ) {
    this.#key = pepper.derive('mailed tokens');
  }

  make<Purpose extends TokenPurpose>(purpose: Purpose, content: Contents[Purpose]): string {
    const expiresAt = this.nowMs() + LIFE_MS[purpose];
    return encrypt(JSON.stringify({ ...content, expiresAt }), { key: this.#key, context: purpose });
  }

  /** Undefined: not one of ours, for something else, or expired. */
  open<Purpose extends TokenPurpose>(purpose: Purpose, token: string): Contents[Purpose] | undefined {
    const plain = decrypt(token, { key: this.#key, context: purpose });
    if (plain === undefined) return undefined;
    const { expiresAt, ...content } = JSON.parse(plain.toString()) as Contents[Purpose] & {
      readonly expiresAt: number;
    };
    return expiresAt > this.nowMs() ? (content as unknown as Contents[Purpose]) : undefined;
  }
}
