// The Idempotency-Key header, as draft-ietf-httpapi-idempotency-key-header-07 has it: a string in quotes. Most
// clients send it bare, which means the same. Pure.
import { Problem } from '../../../http/problem.js';

const CHARACTERS_MAX = 255;
const KEY = /^(?:"([\x21\x23-\x5b\x5d-\x7e]+)"|([\x21\x23-\x5b\x5d-\x7e]+))$/;

/** @throws Problem 400 unless absent or such a key */
export function idempotencyKeyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, quoted, bare] = KEY.exec(String(header).trim()) ?? [];
  const key = quoted ?? bare;
  if (key !== undefined && key.length <= CHARACTERS_MAX) return key;
  throw Problem.badRequest(
    `Send one Idempotency-Key of 1 to ${CHARACTERS_MAX} printable ASCII characters without spaces, quotes and backslashes, such as a UUID.`,
  );
}
