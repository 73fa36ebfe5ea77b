// Registers somebody with a merchant of their own, unless their address has an account. Three streams, the
// person's last: before it is there, nobody can sign in and the next try goes on where this one stopped; once it
// is there, all is. Whoever asks is told the same either way; the difference is in the mail.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore, type NewEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent } from '../../../events/merchant.events.js';
import type { PersonEvent } from '../../../events/person.events.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import { originOfPerson } from '../access.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { merchantStream, registerMerchant } from '../merchants/merchant.aggregate.js';
import type { Origin, Whence } from '../origin.js';
import { CHANCE } from '../random-ids.js';
import { claimEmail } from './email-claim.js';
import { People } from './people.js';
import { type Person, personStream } from './person.aggregate.js';

/** Never a person's name or address: a merchant's name is not sealed. */
const MERCHANT_NAME_DEFAULT = 'My sites';

export type RegisterPersonOutcome =
  | { readonly outcome: 'registered'; readonly person: Person }
  | { readonly outcome: 'registered-before'; readonly person: Person }
  /** Somebody else registers with it or changes to it at this moment. */
  | { readonly outcome: 'on-its-way' };

export interface Registration {
  readonly email: string;
  readonly name: string | undefined;
  readonly merchantName: string | undefined;
  /** Hashed before, whether or not it will be needed; null: signs in through another issuer. */
  readonly passwordHash: string | null;
  /** Whether it is known already that the address is theirs. */
  readonly isVerified: boolean;
}

export class RegisterPerson extends Command<RegisterPersonOutcome> {
  constructor(
    readonly registration: Registration,
    /** Of the request: by whom is the person themselves. */
    readonly from: Whence,
  ) {
    super();
  }
}

/** One merchant for each person, found without being written down. */
export const ownMerchantOf = (person: string): string => `m${person.slice(1)}`;

@CommandHandler(RegisterPerson)
export class RegisterPersonHandler implements ICommandHandler<RegisterPerson> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly people: People,
    private readonly directories: DirectoryFollower,
  ) {}

  async execute({ registration, from }: RegisterPerson): Promise<RegisterPersonOutcome> {
    const emailDigest = this.people.digestOf(registration.email);
    const holder = await this.people.holderOf(registration.email);
    if (holder.is === 'registered') return { outcome: 'registered-before', person: holder.person };
    const id = holder.is === 'on-its-way' ? holder.person : CHANCE.newId('p');
    const origin = originOfPerson(id, from);
    const claim = await claimEmail(this.eventStore, { emailDigest, person: id, origin });
    if (claim === 'taken') return { outcome: 'on-its-way' };
    failpoint('people.email-claimed');
    await this.#registerMerchant(id, registration.merchantName ?? MERCHANT_NAME_DEFAULT, origin);
    failpoint('people.merchant-registered');
    const outcome = await this.#registerPerson(id, registration, origin);
    failpoint('people.registered');
    return outcome;
  }

  /** It may be there: of a try that went no further. */
  async #registerMerchant(person: string, name: string, origin: Origin): Promise<void> {
    const merchant = ownMerchantOf(person);
    const joined: MerchantEvent = { type: 'MemberJoined', data: { merchant, person, role: 'owner' } };
    const events: readonly NewEvent[] = [registerMerchant(merchant, name), joined];
    await this.eventStore.append(
      merchantStream(merchant),
      events.map((event) => ({ ...event, metadata: origin })),
      'none',
    );
  }

  async #registerPerson(
    id: string,
    { email, name, passwordHash, isVerified }: Registration,
    origin: Origin,
  ): Promise<RegisterPersonOutcome> {
    const emailDigest = this.people.digestOf(email);
    const registered: PersonEvent = {
      type: 'PersonRegistered',
      data: {
        person: id,
        email: await this.people.seal(id, email),
        emailDigest,
        name: name === undefined ? null : await this.people.seal(id, name),
        password: passwordHash === null ? null : await this.people.seal(id, passwordHash),
      },
    };
    const verified: PersonEvent = { type: 'EmailVerified', data: { person: id, emailDigest } };
    const events = isVerified ? [registered, verified] : [registered];
    const stored = await this.eventStore.append(
      personStream(id),
      events.map((event) => ({ ...event, metadata: origin })),
      'none',
    );
    await this.directories.settle();
    const person = await this.people.find(id);
    // Somebody else went on with the same abandoned try; or the address is one that somebody changes to.
    if (person?.emailDigest !== emailDigest) return { outcome: 'on-its-way' };
    return { outcome: stored.outcome === 'stored' ? 'registered' : 'registered-before', person };
  }
}
