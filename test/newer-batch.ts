// A batch as a newer version would have written it: the same bytes under another schema number.
import { crc32 } from 'node:zlib';

/** Of no version that there will ever be. */
export const NEWER_SCHEMA = 65_535;

export function withSchema(schema: number, batch: Buffer): Buffer {
  const bytes = Buffer.from(batch);
  bytes.writeUInt16LE(schema, 2);
  const sumOffset = bytes.length - 4;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, sumOffset)), sumOffset);
  return bytes;
}
