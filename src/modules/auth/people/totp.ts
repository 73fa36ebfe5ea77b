// One-time codes by the clock (RFC 6238: SHA-1, six digits, thirty seconds, as every authenticator app has it), and
// what such an app is told to begin with. Pure.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const STEP_MS = 30_000;
const DIGITS = 6;
const SECRET_BYTES = 20;
/** Clocks differ: the code before and the one after are taken as well. */
const STEPS_AROUND = 1;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const newTotpSecret = (): Buffer => randomBytes(SECRET_BYTES);

export const stepAt = (timeMs: number): number => Math.floor(timeMs / STEP_MS);

/** RFC 4226, section 5.3. */
export function codeOf(secret: Buffer, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const number = digest.readUInt32BE(digest.at(-1)! & 0xf) & 0x7fff_ffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/** The step whose code this is; undefined: none of now. All are compared, whichever fits. */
export function stepOfCode(secret: Buffer, code: string, nowMs: number): number | undefined {
  let found: number | undefined;
  if (!/^\d{6}$/.test(code)) return undefined;
  for (let step = stepAt(nowMs) - STEPS_AROUND; step <= stepAt(nowMs) + STEPS_AROUND; step++) {
    if (timingSafeEqual(Buffer.from(codeOf(secret, step)), Buffer.from(code))) found = step;
  }
  return found;
}

export function base32(bytes: Buffer): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(value >>> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + BASE32[(value << (5 - bits)) & 31];
}

/** What the QR code shows that an app reads. */
export function enrolmentUri(secret: Buffer, account: string): string {
  const label = `Tidemark:${encodeURIComponent(account)}`;
  const parameters = new URLSearchParams({
    secret: base32(secret),
    issuer: 'Tidemark',
    algorithm: 'SHA1',
    digits: String(DIGITS),
    period: String(STEP_MS / 1000),
  });
  return `otpauth://totp/${label}?${parameters.toString()}`;
}
