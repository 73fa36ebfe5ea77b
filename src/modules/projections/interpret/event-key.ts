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
  return hex(first ^ (first >>> 15)) + hex(second ^ (second >>> 16));
}

const BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const hex = (word: number): string =>
  BYTES[word >>> 24]! + BYTES[(word >>> 16) & 255]! + BYTES[(word >>> 8) & 255]! + BYTES[word & 255]!;
