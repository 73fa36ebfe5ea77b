// Whoever gives access to others, by a key or a shared link, gives it for no longer than they have it themselves:
// a key that was lent for a week, or leaked, must not live on in what was made with it.
import { Problem } from '../../../http/problem.js';
import type { Caller } from '../access.js';
import type { KeyDirectory } from '../directories/key.directory.js';
import { outlasts } from './key.aggregate.js';

/** Null: the caller's access does not end by itself. */
export const ownEndOf = (caller: Caller, keys: KeyDirectory): Date | null =>
  keys.byId(caller.id)?.expiresAt ?? null;

/** @throws Problem 403 */
export function refuseOutlasting(expiresAt: Date | null, ownEnd: Date | null): void {
  if (ownEnd === null || !outlasts(expiresAt, ownEnd)) return;
  throw Problem.forbidden(
    `The key that asks ends at ${ownEnd.toISOString()}, and cannot give others access for longer.`,
  );
}
