// Ids for events that come without one: UUID version 7, which ascend with time. As the package
// `uuid` makes them, but with random bytes drawn from the system for many ids at once: one draw per
// id would cost more than all other steps of an event together.
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const BYTES_PER_ID = 16;
const IDS_PER_DRAW = 256;

const pool = new Uint8Array(BYTES_PER_ID * IDS_PER_DRAW);
let used = pool.length;

function drawn(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_PER_ID;
  return pool.subarray(used - BYTES_PER_ID, used);
}

let lastMs = 0;
let sequence = 0;

/** Greater, as text, than any made before by this process. */
export function newEventId(): string {
  const random = drawn();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // 31 random bits: half of the range is left to count up in.
    sequence = ((random[6]! & 0x7f) << 24) | (random[7]! << 16) | (random[8]! << 8) | random[9]!;
  } else {
    sequence = (sequence + 1) >>> 0;
    if (sequence === 0) lastMs++;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
}
