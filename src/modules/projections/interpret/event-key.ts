// The 64-bit hash of an event id: what sessions keep of an id to recognise a repeat by. Two rounds
// of 32-bit multiply-xor mixing with different constants. Stable for ever: rows carry it.
export function eventKey(id: string): string {
  let first = 0x9e3779b9;
  let second = 0x85ebca6b;
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index);
    first = Math.imul(first ^ code, 0x9e3779b1);
    first ^= first >>> 15;
    second = Math.imul(second ^ code, 0x5f356495);
    second ^= second >>> 13;
  }
  first = Math.imul(first ^ (second >>> 16), 0x85ebca6b);
  second = Math.imul(second ^ (first >>> 13), 0xc2b2ae35);
  first = Math.imul(first ^ (second >>> 16), 0x27d4eb2f);
  return hex(first ^ (first >>> 15), second ^ (second >>> 16));
}

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

/** In one call, so that the string is flat: a concatenated one keeps its parts, and millions are kept. */
function hex(high: number, low: number): string {
  return String.fromCharCode(
    DIGITS[high >>> 28]!,
    DIGITS[(high >>> 24) & 15]!,
    DIGITS[(high >>> 20) & 15]!,
    DIGITS[(high >>> 16) & 15]!,
    DIGITS[(high >>> 12) & 15]!,
    DIGITS[(high >>> 8) & 15]!,
    DIGITS[(high >>> 4) & 15]!,
    DIGITS[high & 15]!,
    DIGITS[low >>> 28]!,
    DIGITS[(low >>> 24) & 15]!,
    DIGITS[(low >>> 20) & 15]!,
    DIGITS[(low >>> 16) & 15]!,
    DIGITS[(low >>> 12) & 15]!,
    DIGITS[(low >>> 8) & 15]!,
    DIGITS[(low >>> 4) & 15]!,
    DIGITS[low & 15]!,
  );
}
