// The tracker as the build made it, ready to be sent: each script once, in the encodings that browsers take, under
// the name of its content.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';

const BUILT = fileURLToPath(new URL('../../../tracker/dist/', import.meta.url));
const VERSION_DIGITS = 16;

/** Best first. */
const ENCODERS = [
  ['br', (bytes: Buffer) => brotliCompressSync(bytes)],
  ['gzip', (bytes: Buffer) => gzipSync(bytes, { level: 9 })],
  ['identity', (bytes: Buffer) => bytes],
] as const;

export type ScriptName = 't' | 't.core';
export type ScriptEncoding = (typeof ENCODERS)[number][0];

export interface TrackerScript {
  /** Hexadecimal digits, of the content. */
  readonly version: string;
  readonly encoded: readonly { readonly encoding: ScriptEncoding; readonly bytes: Buffer }[];
}

@Injectable()
export class TrackerScripts {
  readonly #scripts: Readonly<Record<ScriptName, TrackerScript>> = {
    t: readScript('t'),
    't.core': readScript('t.core'),
  };

  of(name: ScriptName): TrackerScript {
    return this.#scripts[name];
  }
}

/** @throws Error that says what to do, where the build has not made it */
function readScript(name: ScriptName): TrackerScript {
  const bytes = builtFile(`${name}.js`);
  return {
    version: createHash('sha256').update(bytes).digest('hex').slice(0, VERSION_DIGITS),
    encoded: ENCODERS.map(([encoding, encode]) => ({ encoding, bytes: encode(bytes) })),
  };
}

function builtFile(file: string): Buffer {
  try {
    return readFileSync(BUILT + file);
  } catch (error) {
    throw new Error(`the tracker is not built: run \`npm run build\` (${(error as Error).message})`, {
      cause: error,
    });
  }
}
