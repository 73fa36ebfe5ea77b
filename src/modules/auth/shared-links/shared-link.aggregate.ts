// A shared link: shows one site's numbers to whoever has it. What its stream folds to, and the events of its life.
// Pure. That it expires is no event: whoever looks compares.
import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent, Revision } from '../../../event-store/event-store.js';
import type { SharedLinkEvent } from '../../../events/shared-link.events.js';
import type { Fold } from '../aggregate.js';

export interface SharedLink {
  readonly id: string;
  readonly merchant: string;
  readonly site: string;
  readonly name: string;
  readonly embeddable: boolean;
  /** None: any. */
  readonly allowedHosts: readonly string[];
  /** Its hash, encrypted; null: none is needed. */
  readonly password: string | null;
  /** Counts passwords: a session that was begun with an earlier one is over. */
  readonly generation: Revision;
  /** Null: good until it is deleted. */
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly revision: Revision;
}

export type SharedLinkState = SharedLink | 'absent' | 'deleted';

export type SharedLinkDraft = Omit<SharedLink, 'id' | 'generation' | 'createdAt' | 'revision'>;

export type SharedLinkChange = {
  readonly [Field in 'name' | 'embeddable' | 'allowedHosts' | 'password' | 'expiresAt']?:
    SharedLink[Field] | undefined;
};

export const sharedLinkStream = (id: string): string => `link-${id}`;

export const sharedLinkFold: Fold<SharedLinkState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & SharedLinkEvent;
    const { revision, recordedAt } = event;
    switch (event.type) {
      case 'SharedLinkCreated': {
        const { link: id, password = null, expiresAt, ...about } = event.data;
        const since = { generation: revision, createdAt: recordedAt, revision };
        return { id, ...about, password, expiresAt: timeOf(expiresAt ?? null), ...since };
      }
      case 'SharedLinkChanged': {
        if (typeof state === 'string') return state;
        const { link: _, expiresAt, ...change } = event.data;
        return {
          ...state,
          ...change,
          ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
          ...(change.password !== undefined && { generation: revision }),
          revision,
        };
      }
      case 'SharedLinkDeleted':
        return 'deleted';
      default:
        return state;
    }
  },
};

const timeOf = (text: string | null): Date | null => (text === null ? null : new Date(text));

export const hasEnded = ({ expiresAt }: Pick<SharedLink, 'expiresAt'>, now: Date): boolean =>
  expiresAt !== null && expiresAt <= now;

export const createSharedLink = (
  link: string,
  { password, expiresAt, ...about }: SharedLinkDraft,
): SharedLinkEvent => ({
  type: 'SharedLinkCreated',
  data: {
    link,
    ...about,
    ...(password !== null && { password }),
    ...(expiresAt !== null && { expiresAt: expiresAt.toISOString() }),
  },
});

/** Only what differs; null when nothing does. A password that is given counts as another one, whatever it is. */
export function changeSharedLink(
  link: SharedLink,
  { password, expiresAt, ...about }: SharedLinkChange,
): SharedLinkEvent | null {
  const differing = Object.fromEntries(
    Object.entries(about).filter(
      ([field, value]) => value !== undefined && !isDeepStrictEqual(link[field as keyof typeof about], value),
    ),
  );
  const setsPassword = password !== undefined && (password !== null || link.password !== null);
  const setsExpiry = expiresAt !== undefined && expiresAt?.getTime() !== link.expiresAt?.getTime();
  const data = {
    ...differing,
    ...(setsPassword && { password }),
    ...(setsExpiry && { expiresAt: expiresAt?.toISOString() ?? null }),
  };
  if (Object.keys(data).length === 0) return null;
  return { type: 'SharedLinkChanged', data: { link: link.id, ...data } };
}

export const deleteSharedLink = (link: string): SharedLinkEvent => ({
  type: 'SharedLinkDeleted',
  data: { link },
});
