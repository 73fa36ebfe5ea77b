// An API key: what its stream folds to, and the events of its life. Pure. The key itself is in no
// event: only what it can be recognised by. That it expires is no event: whoever looks compares.
import type { RecordedEvent, Revision } from '../../../event-store/event-store.js';
import type { KeyEvent, KeyScope } from '../../../events/key.events.js';
import type { Fold } from '../aggregate.js';

export interface ApiKey {
  readonly id: string;
  readonly merchant: string;
  /** Null: good for all of the merchant's sites. */
  readonly site: string | null;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly prefix: string;
  readonly digest: string;
  /** Null: good until it is revoked. */
  readonly expiresAt: Date | null;
  /** The key that takes its place: it was rotated. */
  readonly successor: string | null;
  readonly createdAt: Date;
  readonly revision: Revision;
}

export type KeyState = ApiKey | 'absent' | 'revoked';

export type KeyDraft = Pick<ApiKey, 'merchant' | 'site' | 'name' | 'scopes' | 'prefix' | 'digest'> & {
  readonly expiresAt: Date | null;
  readonly rotatedFrom?: string;
};

export interface KeyChange {
  readonly name?: string;
  readonly expiresAt?: Date | null;
}

export const keyStream = (id: string): string => `key-${id}`;

export const keyFold: Fold<KeyState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & KeyEvent;
    const { revision, recordedAt } = event;
    switch (event.type) {
      case 'KeyIssued': {
        const { key: id, expiresAt, rotatedFrom: _, ...draft } = event.data;
        const about = { successor: null, createdAt: recordedAt, revision };
        return { id, ...draft, expiresAt: expiresAt === undefined ? null : new Date(expiresAt), ...about };
      }
      case 'KeyChanged': {
        if (typeof state === 'string') return state;
        const { name = state.name, expiresAt } = event.data;
        return { ...state, name, expiresAt: changedExpiry(state, expiresAt), revision };
      }
      case 'KeyRotated': {
        if (typeof state === 'string') return state;
        const { successor, expiresAt } = event.data;
        return { ...state, successor, expiresAt: new Date(expiresAt), revision };
      }
      case 'KeyRevoked':
        return 'revoked';
      default:
        return state;
    }
  },
};

function changedExpiry(key: ApiKey, expiresAt: string | null | undefined): Date | null {
  if (expiresAt === undefined) return key.expiresAt;
  return expiresAt === null ? null : new Date(expiresAt);
}

export const hasExpired = ({ expiresAt }: Pick<ApiKey, 'expiresAt'>, now: Date): boolean =>
  expiresAt !== null && expiresAt <= now;

/** Whether `a` is over after `b`; null is never over. */
export const outlasts = (a: Date | null, b: Date | null): boolean => b !== null && (a === null || a > b);

export const issueKey = (key: string, { expiresAt, ...draft }: KeyDraft): KeyEvent => ({
  type: 'KeyIssued',
  data: { key, ...draft, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) },
});

export type ChangeRefusal = 'expired' | 'rotated';

/**
 * Only what differs; null when nothing does. An expired key stays so, because who else holds it by now
 * nobody knows, and one that was rotated is not given more time than its overlap.
 */
export function changeKey(key: ApiKey, change: KeyChange, now: Date): KeyEvent | ChangeRefusal | null {
  if (hasExpired(key, now)) return 'expired';
  const { name = key.name, expiresAt = key.expiresAt } = change;
  if (key.successor !== null && outlasts(expiresAt, key.expiresAt)) return 'rotated';
  const differs = {
    ...(name !== key.name && { name }),
    ...(expiresAt?.getTime() !== key.expiresAt?.getTime() && { expiresAt: expiresAt?.toISOString() ?? null }),
  };
  if (Object.keys(differs).length === 0) return null;
  return { type: 'KeyChanged', data: { key: key.id, ...differs } };
}

/** The key is over when the overlap is, or earlier if it was to expire. */
export function rotateKey(
  key: ApiKey,
  { successor, overlapEndsAt }: { readonly successor: string; readonly overlapEndsAt: Date },
): KeyEvent {
  const expiresAt = outlasts(key.expiresAt, overlapEndsAt) ? overlapEndsAt : key.expiresAt!;
  return { type: 'KeyRotated', data: { key: key.id, successor, expiresAt: expiresAt.toISOString() } };
}

export const revokeKey = (key: string): KeyEvent => ({ type: 'KeyRevoked', data: { key } });
