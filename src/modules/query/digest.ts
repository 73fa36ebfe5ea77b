// Short names for long texts: of answers, by which a client's copy is known, and of all that an answer
// depends on, by which caches know it.
import { createHash } from 'node:crypto';

const DIGEST_CHARACTERS = 27;

/** For an ETag: equal for equal texts. */
export const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_CHARACTERS);

/** Weak: the same numbers may be said in other bytes. */
export const etagOf = (digest: string): string => `W/"${digest}"`;

export const cacheKeyOf = (dependsOn: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(dependsOn)).digest('base64');
