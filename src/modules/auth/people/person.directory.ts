// What must be known of people with every request: which of their sign-ins have ended. In memory, by following the
// event store, so that who signs out, here or on another node, is out within seconds and not when the token
// expires. Of most people nothing is kept.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { PersonEvent, SignInEvent } from '../../../events/person.events.js';
import type { Directory } from '../directories/directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { endsSignIns } from './person.aggregate.js';
import { ACCESS_TOKEN_LIFE_SECONDS, type SignedInPerson } from './tokens/access-tokens.js';

/** Longer than any token lives, and any answer about a cookie is remembered. */
const REMEMBERED_MS = 2 * ACCESS_TOKEN_LIFE_SECONDS * 1000;

@Injectable()
export class PersonDirectory implements Directory {
  readonly name = 'people';
  readonly format = 1;
  /** Of whom all sign-ins were ended once. */
  readonly #generations = new Map<string, number>();
  /** Sign-ins that have ended, by when; oldest first. */
  readonly #ended = new Map<string, number>();

  constructor(follower: DirectoryFollower) {
    follower.follow(this);
  }

  hasEnded({ person, signIn, generation }: Omit<SignedInPerson, 'merchant'>): boolean {
    return (signIn !== null && this.#ended.has(signIn)) || generation < (this.#generations.get(person) ?? 0);
  }

  apply(recorded: RecordedEvent): void {
    const event = recorded as unknown as RecordedEvent & (PersonEvent | SignInEvent);
    if (event.type === 'SignedOut' || event.type === 'RefreshTokenReused') {
      this.#end(event.data.signIn, event.recordedAt.getTime());
    } else if (endsSignIns(event)) {
      this.#generations.set((event.data as { readonly person: string }).person, event.revision);
    }
  }

  *lines(): Iterable<string> {
    for (const [person, generation] of this.#generations)
      yield JSON.stringify(['generation', person, generation]);
    for (const [signIn, endedAtMs] of this.#ended) yield JSON.stringify(['ended', signIn, endedAtMs]);
  }

  restore(line: string): void {
    const [what, id, value] = JSON.parse(line) as ['generation' | 'ended', string, number];
    if (what === 'ended') this.#end(id, value);
    else this.#generations.set(id, value);
  }

  clear(): void {
    this.#generations.clear();
    this.#ended.clear();
  }

  #end(signIn: string, endedAtMs: number): void {
    const oldest = Date.now() - REMEMBERED_MS;
    for (const [id, atMs] of this.#ended) {
      if (atMs >= oldest) break;
      this.#ended.delete(id);
    }
    if (endedAtMs >= oldest) this.#ended.set(signIn, endedAtMs);
  }
}
