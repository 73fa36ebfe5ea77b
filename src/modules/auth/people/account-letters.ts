// Which mail goes to whom, and with what token. Looks people up behind the request, so that no answer waits for it,
// and none tells whether there is somebody.
import type { Mail } from './mail/mailer.js';
import {
  emailChangedMail,
  emailChangeMail,
  passwordChangedMail,
  registeredBeforeMail,
  resetMail,
  verificationMail,
} from './mail/account-mails.js';
import type { OutgoingMails } from './mail/outgoing-mails.js';
import type { People } from './people.js';
import type { Person } from './person.aggregate.js';
import type { MailedTokens } from './tokens/mailed-tokens.js';

export interface AccountLettersDeps {
  readonly people: People;
  readonly tokens: MailedTokens;
  readonly outgoing: OutgoingMails;
  readonly publicUrl: string;
}

interface Recipient {
  readonly to: string;
  readonly publicUrl: string;
}

export class AccountLetters {
  constructor(private readonly deps: AccountLettersDeps) {}

  verification({ id: person, emailDigest }: Person, email: string): void {
    this.#post(email, (to) => verificationMail({ ...to, token: this.#verifying(person, emailDigest) }));
  }

  /** Asked for: nothing if the address is verified, or has no account. */
  verificationAgain(email: string): void {
    this.#postToHolder(email, ({ id, emailDigest, isEmailVerified }, to) =>
      isEmailVerified ? undefined : verificationMail({ ...to, token: this.#verifying(id, emailDigest) }),
    );
  }

  registeredBefore(email: string): void {
    this.#post(email, registeredBeforeMail);
  }

  forgottenPassword(email: string): void {
    this.#postToHolder(email, ({ id: person, generation }, to) =>
      resetMail({ ...to, token: this.deps.tokens.make('reset-password', { person, generation }) }),
    );
  }

  /** To the new address; if it has an account already, that one's owner is told. */
  changeOfEmail({ id: person, generation }: Person, email: string): void {
    this.deps.outgoing.post(
      this.deps.people.holderOf(email).then((holder) =>
        holder.is === 'registered'
          ? registeredBeforeMail(this.#to(email))
          : emailChangeMail({
              ...this.#to(email),
              token: this.deps.tokens.make('change-email', { person, email, generation }),
            }),
      ),
    );
  }

  /** To the address before: whose account was taken over learns of it there. */
  emailChanged(before: string): void {
    this.#post(before, emailChangedMail);
  }

  passwordChanged(person: Person): void {
    this.deps.outgoing.post(
      this.deps.people
        .profileOf(person)
        .then(({ email }) => (email === null ? undefined : passwordChangedMail(this.#to(email)))),
    );
  }

  #verifying(person: string, emailDigest: string): string {
    return this.deps.tokens.make('verify-email', { person, emailDigest });
  }

  #post(email: string, write: (to: Recipient) => Mail): void {
    this.deps.outgoing.post(Promise.resolve(write(this.#to(email))));
  }

  #postToHolder(email: string, write: (person: Person, to: Recipient) => Mail | undefined): void {
    this.deps.outgoing.post(
      this.deps.people
        .holderOf(email)
        .then((holder) => (holder.is === 'registered' ? write(holder.person, this.#to(email)) : undefined)),
    );
  }

  #to(email: string): Recipient {
    return { to: email, publicUrl: this.deps.publicUrl };
  }
}
