// Somebody with an account: what their stream folds to. Pure. What is personal in it is sealed still.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { PersonEvent, Sealed } from '../../../events/person.events.js';
import type { Fold } from '../aggregate.js';

export interface Totp {
  readonly secret: Sealed;
  /** Digests of those not used yet. */
  readonly recoveryCodes: readonly string[];
}

export interface Person {
  readonly id: string;
  readonly email: Sealed;
  readonly emailDigest: string;
  readonly isEmailVerified: boolean;
  readonly name: Sealed | null;
  /** Null: signs in through another issuer only. */
  readonly password: Sealed | null;
  readonly totp: Totp | null;
  /** Revision of the event that ended all sign-ins there were; 0: none did. Later ones are of this generation. */
  readonly generation: number;
  /** When that was; null: never. */
  readonly signInsEndedAt: Date | null;
  readonly registeredAt: Date;
  readonly revision: number;
}

/** `erased`: nobody any more, whose id is not given out again. */
export type PersonState = Person | 'absent' | 'erased';

export const personStream = (id: string): string => `person-${id}`;

/** Events after which everybody who is signed in as this person must sign in anew. */
const ENDING: ReadonlySet<string> = new Set<PersonEvent['type']>([
  'PasswordChanged',
  'SignedOutEverywhere',
  'PersonErased',
]);

export const endsSignIns = ({ type }: Pick<RecordedEvent, 'type'>): boolean => ENDING.has(type);

export const personFold: Fold<PersonState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & PersonEvent;
    const { revision, recordedAt: registeredAt } = event;
    if (event.type === 'PersonRegistered') {
      const { person: id, ...draft } = event.data;
      const fresh = { isEmailVerified: false, totp: null, generation: 0, signInsEndedAt: null };
      return { id, ...draft, ...fresh, registeredAt, revision };
    }
    if (event.type === 'PersonErased') return 'erased';
    if (typeof state === 'string') return state;
    const ended = endsSignIns(event) && { generation: revision, signInsEndedAt: event.recordedAt };
    return { ...state, ...changed(state, event), ...ended, revision };
  },
};

function changed(state: Person, event: PersonEvent): Partial<Person> {
  switch (event.type) {
    case 'PersonRenamed':
      return { name: event.data.name };
    case 'EmailVerified':
      return event.data.emailDigest === state.emailDigest ? { isEmailVerified: true } : {};
    case 'EmailChanged':
      return { email: event.data.email, emailDigest: event.data.emailDigest, isEmailVerified: true };
    case 'PasswordChanged':
    case 'PasswordRehashed':
      return { password: event.data.password };
    case 'TotpEnabled':
      return { totp: { secret: event.data.secret, recoveryCodes: event.data.recoveryCodes } };
    case 'TotpDisabled':
      return { totp: null };
    case 'RecoveryCodeUsed': {
      if (state.totp === null) return {};
      const recoveryCodes = state.totp.recoveryCodes.filter((code) => code !== event.data.recoveryCode);
      return { totp: { ...state.totp, recoveryCodes } };
    }
    default:
      return {};
  }
}
