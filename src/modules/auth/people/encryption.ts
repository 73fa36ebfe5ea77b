// Authenticated encryption of short texts (AES-256-GCM), for whatever must be unreadable without a key that lies
// elsewhere. What is encrypted is bound to its context: under another one it does not open.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every encrypted text, should there ever be another form. */
const FORM = 1;

export interface Encryption {
  readonly key: Buffer;
  /** What the text is for, and whose it is. */
  readonly context: string;
}

/** base64url; nonces are random, for which one key may encrypt 2³² texts. */
export function encrypt(plain: string | Buffer, { key, context }: Encryption): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context));
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([Buffer.of(FORM), nonce, cipher.getAuthTag(), encrypted]).toString('base64url');
}

/** Undefined: not encrypted with this key for this context, or changed since. */
export function decrypt(text: string, { key, context }: Encryption): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const start = 1 + NONCE_BYTES + TAG_BYTES;
  if (bytes.length < start || bytes[0] !== FORM) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(1, 1 + NONCE_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(1 + NONCE_BYTES, start));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(start)), decipher.final()]);
  } catch {
    return undefined;
  }
}
