// Writes test/golden/tracked-batch.v{schema}.bin, the bytes that a log holds of the events in
// tracked-event.v{schema}.json: `node scripts/write-golden-batch.mjs SCHEMA`, once for every schema, when
// its reader is added. By no code of the product, which the file is there to test; a golden file that
// is there is never written again.
import { readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const APPENDED_AT = 1_793_786_500_000;

const schema = Number(process.argv[2]);
const path = (name) => new URL(`../test/golden/${name}`, import.meta.url);
const events = JSON.parse(readFileSync(path(`tracked-event.v${schema}.json`), 'utf8'));

const header = Buffer.alloc(16);
header.writeUInt8(1, 0);
header.writeUInt16LE(schema, 2);
header.writeUInt32LE(events.length, 4);
header.writeDoubleLE(APPENDED_AT, 8);
const content = Buffer.concat([header, Buffer.from(JSON.stringify(events))]);
const sum = Buffer.alloc(4);
sum.writeUInt32LE(crc32(content));
writeFileSync(path(`tracked-batch.v${schema}.bin`), Buffer.concat([content, sum]), { flag: 'wx' });
