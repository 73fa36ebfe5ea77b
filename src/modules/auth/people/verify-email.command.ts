// Takes the token of a mail for proof that whoever has it reads what is sent to the address: the one that the
// account has, or the one that it is to have.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { originOfPerson } from '../access.js';
import type { Origin, Whence } from '../origin.js';
import { claimEmail, releaseEmail } from './email-claim.js';
import { People } from './people.js';
import type { Person } from './person.aggregate.js';
import { MailedTokens } from './tokens/mailed-tokens.js';

export type VerifyEmailOutcome =
  | { readonly outcome: 'verified' }
  /** `before`: the address that the account had. */
  | { readonly outcome: 'changed'; readonly before: string | null }
  | { readonly outcome: 'token-refused' }
  | { readonly outcome: 'email-taken' };

export class VerifyEmail extends Command<VerifyEmailOutcome> {
  constructor(
    readonly token: string,
    readonly from: Whence,
  ) {
    super();
  }
}

@CommandHandler(VerifyEmail)
export class VerifyEmailHandler implements ICommandHandler<VerifyEmail> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly people: People,
    private readonly tokens: MailedTokens,
  ) {}

  async execute({ token, from }: VerifyEmail): Promise<VerifyEmailOutcome> {
    const verifying = this.tokens.open('verify-email', token);
    if (verifying) return this.#verify(verifying.person, verifying.emailDigest, from);
    const changing = this.tokens.open('change-email', token);
    const person = changing && (await this.people.find(changing.person));
    if (person === undefined) return { outcome: 'token-refused' };
    // Once more by the same mail: it is so already.
    if (person.emailDigest === this.people.digestOf(changing!.email)) return { outcome: 'verified' };
    // Whoever ended all sign-ins since may have done so because somebody else had asked for this.
    if (person.generation !== changing!.generation) return { outcome: 'token-refused' };
    return this.#change(person, changing!.email, originOfPerson(person.id, from));
  }

  async #verify(id: string, emailDigest: string, from: Whence): Promise<VerifyEmailOutcome> {
    const verified = await this.people.change(id, originOfPerson(id, from), (person) => {
      if (person.emailDigest !== emailDigest) return null;
      return person.isEmailVerified ? [] : [{ type: 'EmailVerified', data: { person: id, emailDigest } }];
    });
    return { outcome: verified ? 'verified' : 'token-refused' };
  }

  /** The new address is claimed first and the old one released last; who dies in between tries again. */
  async #change({ id, ...before }: Person, email: string, origin: Origin): Promise<VerifyEmailOutcome> {
    const emailDigest = this.people.digestOf(email);
    const claim = await claimEmail(this.eventStore, { emailDigest, person: id, origin });
    if (claim === 'taken') return { outcome: 'email-taken' };
    const { email: oldEmail } = await this.people.profileOf({ id, ...before });
    const sealed = await this.people.seal(id, email);
    const changed = await this.people.change(id, origin, (person) =>
      person.generation === before.generation
        ? [{ type: 'EmailChanged', data: { person: id, email: sealed, emailDigest } }]
        : null,
    );
    if (changed === undefined) return { outcome: 'token-refused' };
    await releaseEmail(this.eventStore, { emailDigest: before.emailDigest, person: id, origin });
    return { outcome: 'changed', before: oldEmail };
  }
}
