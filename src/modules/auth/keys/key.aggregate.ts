// An API key: what its stream folds to, and the events of its short life. Pure. The key itself is
// in no event: only what it can be recognised by.
import type { RecordedEvent } from '../../../event-store/event-store.js';
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
  readonly createdAt: Date;
}

export type KeyState = ApiKey | 'absent' | 'revoked';

export type KeyDraft = Pick<ApiKey, 'merchant' | 'site' | 'name' | 'scopes' | 'prefix' | 'digest'>;

export const keyStream = (id: string): string => `key-${id}`;

export const keyFold: Fold<KeyState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & KeyEvent;
    switch (event.type) {
      case 'KeyIssued': {
        const { key: id, ...draft } = event.data;
        return { id, ...draft, createdAt: event.recordedAt };
      }
      case 'KeyRevoked':
        return 'revoked';
      default:
        return state;
    }
  },
};

export const issueKey = (key: string, draft: KeyDraft): KeyEvent => ({
  type: 'KeyIssued',
  data: { key, ...draft },
});

export const revokeKey = (key: string): KeyEvent => ({ type: 'KeyRevoked', data: { key } });
