// Who it is here that another issuer's token is for: the person with that address, if they verified it here too, or
// else somebody who only registered with it would get in beside its owner. Somebody without an account gets one
// where the issuer's configuration says so.
import type { CommandBus } from '@nestjs/cqrs';
import { isEmail } from 'class-validator';
import { LRUCache } from 'lru-cache';
import type { EventStore } from '../../../../event-store/event-store.js';
import type { KeyPepper } from '../../keys/key-pepper.js';
import type { MemberDirectory } from '../../merchants/member.directory.js';
import type { Whence } from '../../origin.js';
import { EMAIL_CHARACTERS_MAX, emailDigest, normaliseEmail } from '../email-address.js';
import { holderOf } from '../email-claim.js';
import type { Person } from '../person.aggregate.js';
import { RegisterPerson } from '../register-person.command.js';
import type { SignedInPerson } from '../tokens/access-tokens.js';
import type { ExternalIdentity, ExternalIssuers } from '../tokens/external-issuers.js';

const REMEMBERED_MAX = 10_000;
/** Within it an address may have changed hands. */
const REMEMBERED_MS = 30_000;

export interface ExternalSignInsDeps {
  readonly issuers: ExternalIssuers;
  readonly eventStore: EventStore;
  readonly pepper: KeyPepper;
  readonly members: MemberDirectory;
  readonly commands: CommandBus;
}

export class ExternalSignIns {
  readonly #remembered = new LRUCache<string, SignedInPerson>({ max: REMEMBERED_MAX });

  constructor(private readonly deps: ExternalSignInsDeps) {}

  /**
   * @param whence tells where the request comes from, for the account that may have to be made.
   * @throws Problem 503 when the issuer does not answer.
   */
  async find(token: string, whence: () => Whence): Promise<SignedInPerson | undefined> {
    const known = this.#remembered.get(token);
    if (known) return known;
    const identity = await this.deps.issuers.verify(token);
    const person = identity && (await this.#personOf(identity, whence));
    // Whoever ended all sign-ins ended those by tokens of before, too.
    if (person === undefined || identity!.issuedAtMs < (person.signInsEndedAt?.getTime() ?? 0))
      return undefined;
    const signedIn = this.#signedIn(person, identity!);
    const ttl = Math.min(REMEMBERED_MS, identity!.expiresAtMs - Date.now());
    if (ttl >= 1) this.#remembered.set(token, signedIn, { ttl });
    return signedIn;
  }

  #signedIn({ id: person, generation }: Person, identity: ExternalIdentity): SignedInPerson {
    const merchant = identity.merchant ?? this.deps.members.merchantsOf(person)[0]?.merchant ?? null;
    return { person, signIn: null, merchant, generation };
  }

  async #personOf(
    { issuer, email: given }: ExternalIdentity,
    whence: () => Whence,
  ): Promise<Person | undefined> {
    const email = normaliseEmail(given);
    if (email.length > EMAIL_CHARACTERS_MAX || !isEmail(email)) return undefined;
    const holder = await holderOf(this.deps.eventStore, emailDigest(this.deps.pepper, email));
    if (holder.is === 'registered') return holder.person.isEmailVerified ? holder.person : undefined;
    if (!issuer.register) return undefined;
    const registration = {
      email,
      name: undefined,
      merchantName: undefined,
      passwordHash: null,
      isVerified: true,
    };
    const registered = await this.deps.commands.execute(new RegisterPerson(registration, whence()));
    return registered.outcome === 'on-its-way' || !registered.person.isEmailVerified
      ? undefined
      : registered.person;
  }
}
