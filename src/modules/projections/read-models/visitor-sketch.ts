// How many different visitors: counted exactly up to a bound, estimated beyond it. Unlike counters,
// the sketches of several hours can be put together (visitor-union.ts).
//
// Exact form: visitor id → in how many sessions it was seen here, so that a session that moves
// can take its visitors back. Dense form: HyperLogLog, 2^14 registers (standard error 0.81 %),
// which only grows. Visitor ids are already uniformly distributed hashes: they are not hashed again.
//
// Bytes. Exact: 0x01, then per visitor in ascending order its 8 bytes and a varint of sessions.
// Dense: 0x02, then 16,384 registers of one byte.

export const EXACT_VISITORS_MAX = 1_024;
const REGISTER_BITS = 14;
export const REGISTERS = 1 << REGISTER_BITS;
export const EXACT_FORMAT = 1;
export const DENSE_FORMAT = 2;
export const VISITOR_BYTES = 8;

export type Sketch =
  | { readonly exact: true; readonly sessionsByVisitor: ReadonlyMap<string, number> }
  | { readonly exact: false; readonly registers: Uint8Array };

export const EMPTY_SKETCH: Sketch = { exact: true, sessionsByVisitor: new Map() };

/** Adds (or with negative numbers takes back) sessions per visitor. Visitors left with none disappear. */
export function changeSketch(sketch: Sketch, sessionsByVisitor: ReadonlyMap<string, number>): Sketch {
  if (!sketch.exact) return { exact: false, registers: observe(sketch.registers.slice(), sessionsByVisitor) };
  const merged = new Map(sketch.sessionsByVisitor);
  for (const [visitor, sessions] of sessionsByVisitor) {
    const total = (merged.get(visitor) ?? 0) + sessions;
    if (total > 0) merged.set(visitor, total);
    else merged.delete(visitor);
  }
  return bounded(merged);
}

/** Exact, or within about 0.8 % (one standard error) where `sketch.exact` is false. */
export function countVisitors(sketch: Sketch): number {
  return sketch.exact ? sketch.sessionsByVisitor.size : estimate(sketch.registers);
}

export function encodeSketch(sketch: Sketch): Buffer {
  if (!sketch.exact) return Buffer.concat([Buffer.of(DENSE_FORMAT), sketch.registers]);
  const visitors = [...sketch.sessionsByVisitor.keys()].sort();
  const bytes = Buffer.alloc(1 + visitors.length * 13);
  let offset = bytes.writeUInt8(EXACT_FORMAT, 0);
  for (const visitor of visitors) {
    bytes.write(visitor, offset, 8, 'hex');
    offset = writeVarint(bytes, offset + 8, sketch.sessionsByVisitor.get(visitor)!);
  }
  return bytes.subarray(0, offset);
}

export function decodeSketch(bytes: Buffer): Sketch {
  if (bytes[0] === DENSE_FORMAT) return { exact: false, registers: new Uint8Array(bytes.subarray(1)) };
  if (bytes[0] !== EXACT_FORMAT) throw new Error(`Unknown visitor sketch format ${bytes[0]}`);
  const sessionsByVisitor = new Map<string, number>();
  let offset = 1;
  while (offset < bytes.length) {
    const visitor = bytes.toString('hex', offset, offset + 8);
    offset += 8;
    let sessions = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = bytes[offset++]!;
      sessions |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    sessionsByVisitor.set(visitor, sessions);
  }
  return { exact: true, sessionsByVisitor };
}

function bounded(sessionsByVisitor: ReadonlyMap<string, number>): Sketch {
  if (sessionsByVisitor.size <= EXACT_VISITORS_MAX) return { exact: true, sessionsByVisitor };
  return { exact: false, registers: observe(new Uint8Array(REGISTERS), sessionsByVisitor) };
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let offset = start;
  let rest = value;
  while (rest >= 0x80) {
    offset = bytes.writeUInt8((rest & 0x7f) | 0x80, offset);
    rest >>>= 7;
  }
  return bytes.writeUInt8(rest, offset);
}

function observe(registers: Uint8Array, sessionsByVisitor: ReadonlyMap<string, number>): Uint8Array {
  for (const [visitor, sessions] of sessionsByVisitor) {
    if (sessions <= 0) continue;
    observeVisitor(
      registers,
      Number.parseInt(visitor.slice(0, 8), 16),
      Number.parseInt(visitor.slice(8), 16),
    );
  }
  return registers;
}

/** Register: the id's first 14 bits. Rank: position of the first set bit among the 50 that follow. */
export function observeVisitor(registers: Uint8Array, high: number, low: number): void {
  const restOfHigh = (high << REGISTER_BITS) >>> 0;
  const rank = restOfHigh !== 0 ? Math.clz32(restOfHigh) + 1 : 32 - REGISTER_BITS + Math.clz32(low) + 1;
  const register = high >>> (32 - REGISTER_BITS);
  if (rank > registers[register]!) registers[register] = rank;
}

// Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6:
// no bias tables and no switch between formulas.
export function estimate(registers: Uint8Array): number {
  const ranks = 64 - REGISTER_BITS;
  const histogram = new Array<number>(ranks + 2).fill(0);
  for (const rank of registers) histogram[rank]!++;
  let z = REGISTERS * tau(1 - histogram[ranks + 1]! / REGISTERS);
  for (let rank = ranks; rank >= 1; rank--) z = (z + histogram[rank]!) / 2;
  z += REGISTERS * sigma(histogram[0]! / REGISTERS);
  return Math.round((REGISTERS * REGISTERS) / (2 * Math.LN2 * z));
}

function sigma(start: number): number {
  if (start === 1) return Number.POSITIVE_INFINITY;
  let x = start;
  let y = 1;
  let z = x;
  let before: number;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z !== before);
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  let before: number;
  do {
    x = Math.sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) ** 2 * y;
  } while (z !== before);
  return z / 3;
}
