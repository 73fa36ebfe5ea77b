// The secret of a second factor as an app reads it, from how it is shown (RFC 4648, base 32).
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export function totpSecretOf(shown: string): Buffer {
  const bits = [...shown].map((character) => ALPHABET.indexOf(character).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g)!;
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
