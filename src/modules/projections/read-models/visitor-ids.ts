// Visitors of a finished stretch of time as bytes that a union reads: their ids while they are few, what a
// sketch keeps of them beyond. Unlike a sketch that grows, nothing is ever taken back from it.
//
// Bytes. Ids: 0x03, then 8 bytes per visitor, in any order. Beyond: the dense form of visitor-sketch.ts.
import { DENSE_FORMAT, observeVisitor, REGISTERS, VISITOR_BYTES } from './visitor-sketch.js';

export const IDS_FORMAT = 3;

/** @param ids 8 bytes per visitor, none twice */
export const countOfIds = (ids: Buffer): number => ids.length / VISITOR_BYTES;

export const idsAsBytes = (ids: Buffer): Buffer => Buffer.concat([Buffer.of(IDS_FORMAT), ids]);

/** Exact up to `exactMax` visitors. */
export function summaryOfIds(ids: Buffer, exactMax: number): Buffer {
  if (countOfIds(ids) <= exactMax) return idsAsBytes(ids);
  const registers = new Uint8Array(REGISTERS);
  for (let offset = 0; offset < ids.length; offset += VISITOR_BYTES) {
    observeVisitor(registers, ids.readUInt32BE(offset), ids.readUInt32BE(offset + 4));
  }
  return Buffer.concat([Buffer.of(DENSE_FORMAT), registers]);
}
