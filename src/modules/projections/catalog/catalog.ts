// Every definition that a version of the read models may still be fed by; what is new is built by the
// last. To correct something: keep the definition there is, add one with the next number, rebuild; when
// the old version is retired, remove the old definition (docs/runbooks/rebuild-a-projection.md).
import type { Definition } from '../definition.js';
import { definition1 } from './definition.1.js';
import { definition2 } from './definition.2.js';
import { FINGERPRINTS } from './fingerprints.js';

export const DEFINITIONS: readonly [...Definition[], Definition] = [definition1, definition2];

/** @throws Error when it was not recorded: a mistake that test/fingerprints.spec.ts finds */
export function fingerprintOf(definition: number): string {
  const fingerprint = FINGERPRINTS[definition];
  if (fingerprint === undefined) throw new Error(`Definition ${definition} has no recorded fingerprint`);
  return fingerprint;
}
