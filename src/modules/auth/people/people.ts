// People as commands see them: found by id or by address, changed by appending to their stream, and what is sealed
// of them opened.
import type { EventStore } from '../../../event-store/event-store.js';
import type { PersonEvent, Sealed } from '../../../events/person.events.js';
import { load } from '../aggregate.js';
import type { DirectoryFollower } from '../directories/directory-follower.js';
import type { KeyPepper } from '../keys/key-pepper.js';
import type { Origin } from '../origin.js';
import { emailDigest } from './email-address.js';
import { type EmailHolder, holderOf } from './email-claim.js';
import { type Person, personFold, personStream } from './person.aggregate.js';
import type { Sealer } from './sealing.js';

export interface Profile {
  /** Null: erased. */
  readonly email: string | null;
  readonly name: string | null;
}

const TRIES_MAX = 5;
const PROFILES_AT_A_TIME = 4;
export const NOBODY: Profile = { email: null, name: null };

export class ChangedTooOftenError extends Error {
  override readonly name = 'ChangedTooOftenError';
}

export interface PeopleDeps {
  readonly eventStore: EventStore;
  readonly sealer: Sealer;
  readonly pepper: KeyPepper;
  readonly directories: DirectoryFollower;
}

export class People {
  constructor(private readonly deps: PeopleDeps) {}

  digestOf(email: string): string {
    return emailDigest(this.deps.pepper, email);
  }

  holderOf(email: string): Promise<EmailHolder> {
    return holderOf(this.deps.eventStore, this.digestOf(email));
  }

  async find(id: string): Promise<Person | undefined> {
    const { state } = await load(this.deps.eventStore, personStream(id), personFold);
    return typeof state === 'string' ? undefined : state;
  }

  async profileOf({ id, email, name }: Person): Promise<Profile> {
    const open = async (sealed: Sealed) => (await this.open(id, sealed)) ?? null;
    return { email: await open(email), name: name === null ? null : await open(name) };
  }

  /** Of so many at a time that a page of people holds up nobody else. */
  async profilesOf(ids: readonly string[]): Promise<ReadonlyMap<string, Profile>> {
    const profiles = new Map<string, Profile>();
    const rest = ids.values();
    const readOn = async (): Promise<void> => {
      for (const id of rest) {
        const person = await this.find(id);
        profiles.set(id, person === undefined ? NOBODY : await this.profileOf(person));
      }
    };
    await Promise.all(Array.from({ length: PROFILES_AT_A_TIME }, readOn));
    return profiles;
  }

  /** Undefined: the person was erased. */
  open(person: string, sealed: Sealed): Promise<string | undefined> {
    return this.deps.sealer.open(personStream(person), sealed);
  }

  seal(person: string, text: string): Promise<Sealed> {
    return this.deps.sealer.seal(personStream(person), text);
  }

  /** Undefined: there is none, or the person was erased. Takes as long where there is no such person. */
  async passwordHashOf(person: Person | undefined): Promise<string | undefined> {
    return this.open(person?.id ?? 'nobody', person?.password ?? '');
  }

  /**
   * Decided upon the present state, again if somebody was faster. Known to this node's directories on return.
   * @param decide null: it is refused by now; no events: it is so already.
   * @returns the state that it led to; undefined: refused, or no such person.
   */
  async change(
    id: string,
    origin: Origin,
    decide: (person: Person) => readonly PersonEvent[] | null,
  ): Promise<Person | undefined> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const person = await this.find(id);
      const events = person && decide(person);
      if (events === undefined || events === null) return undefined;
      if (events.length === 0) return person;
      const news = events.map((event) => ({ ...event, metadata: origin }));
      const { outcome } = await this.deps.eventStore.append(personStream(id), news, person!.revision);
      if (outcome === 'conflict') continue;
      await this.deps.directories.settle();
      return this.find(id);
    }
    throw new ChangedTooOftenError('Others changed the account all the time.');
  }
}
