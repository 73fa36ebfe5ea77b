// Invitations: made, mailed, shown to those who manage them, accepted. The token is in the mail and nowhere else:
// whoever shows it has read the mail of the address that was invited, so it is not asked which address they
// signed up with. The event holds its digest, and the address sealed, which is
// erased once the invitation was accepted or withdrawn.
import type { Config } from '../../../config/config.js';
import type { Role } from '../../../events/merchant.events.js';
import { Problem } from '../../../http/problem.js';
import type { Telemetry } from '../../../telemetry/telemetry.js';
import type { Caller } from '../access.js';
import type { KeyPepper } from '../keys/key-pepper.js';
import { emailDigest, normaliseEmail } from '../people/email-address.js';
import type { Mailer } from '../people/mail/mailer.js';
import type { Sealer } from '../people/sealing.js';
import type { GuessLimits } from '../people/sign-ins/guess-limits.js';
import type { IdSource } from '../random-ids.js';
import { invitationMail } from './invitation-mail.js';
import type { Invitation, Merchant } from './merchant.aggregate.js';
import { openInvitation } from './merchant.decisions.js';
import type { MerchantDesk } from './merchant.desk.js';

const VALID_DAYS = 7;
const DAY_MS = 86_400_000;
const MAIL_RETRY_SECONDS = 30;

export interface Invite {
  readonly merchant: string;
  readonly email: string;
  readonly role: Role;
  /** A request that is sent again draws the same id and token. */
  readonly ids: IdSource;
}

export type OpenInvitation = Omit<Invitation, 'email' | 'addressDigest' | 'tokenDigest'> & {
  /** Undefined: it was erased. */
  readonly email: string | undefined;
};

export interface InvitationParts {
  readonly desk: MerchantDesk;
  readonly sealer: Sealer;
  readonly pepper: KeyPepper;
  readonly mailer: Mailer;
  readonly limits: GuessLimits;
  /** Where links lead. */
  readonly publicUrl: string;
  /** Who may register to accept one. */
  readonly registration: Config['REGISTRATION'];
  readonly telemetry: Telemetry;
}

export class InvitationsDesk {
  constructor(private readonly parts: InvitationParts) {}

  /** @throws Problem */
  async send(caller: Caller, { merchant, email, role, ids }: Invite): Promise<OpenInvitation> {
    const { sealer, pepper, mailer, limits, desk, publicUrl, registration } = this.parts;
    // Or everybody with an account could have us write to anybody, over and over.
    await limits.countInvitation(emailDigest(pepper, email));
    const id = ids.newId('i');
    const token = `${id}.${merchant}.${ids.newId('t')}${ids.newId('t')}`;
    const invitation = {
      id,
      role,
      email: await sealer.seal(invitationSubject(id), email),
      addressDigest: addressDigest(pepper, { merchant, email }),
      tokenDigest: pepper.digest(token),
      expiresAt: new Date(Date.now() + VALID_DAYS * DAY_MS),
    };
    const { name, invitations } = await desk.change(caller, {
      merchant,
      wish: { wish: 'invite', invitation },
    });
    const { expiresAt } = invitation;
    await mailer
      .send(invitationMail({ to: email, publicUrl, registration, merchant: name, role, token, expiresAt }))
      .catch((error: unknown) => this.#takeBack(caller, { merchant, id, error }));
    return { id, role, email, expiresAt, sentAt: invitations.get(id)?.sentAt ?? new Date() };
  }

  /** Whether it is the token of an open invitation, and was mailed to that address. */
  async isTo(email: string, token: string): Promise<boolean> {
    const { desk, pepper } = this.parts;
    const [id, merchant] = namedBy(token);
    const found = await desk.lookUp(merchant);
    const tokenDigest = pepper.digest(token);
    const invitation = found && openInvitation(found, { id, tokenDigest, now: new Date() });
    return invitation?.addressDigest === addressDigest(pepper, { merchant, email });
  }

  /** @throws Problem 404 unless it is the token of an open invitation. */
  async accept(caller: Caller, { person, token }: { person: string; token: string }): Promise<Merchant> {
    const [invitation, merchant] = namedBy(token);
    const tokenDigest = this.parts.pepper.digest(token);
    const wish = { wish: 'accept', invitation, person, tokenDigest } as const;
    const joined = await this.parts.desk.change(caller, { merchant, wish });
    await this.parts.sealer.destroy(invitationSubject(invitation));
    return joined;
  }

  /** @throws Problem */
  async withdraw(caller: Caller, { merchant, id }: { merchant: string; id: string }): Promise<void> {
    await this.parts.desk.change(caller, { merchant, wish: { wish: 'withdraw', invitation: id } });
    await this.parts.sealer.destroy(invitationSubject(id));
  }

  async addressOf({ id, email }: Pick<Invitation, 'id' | 'email'>): Promise<string | undefined> {
    return this.parts.sealer.open(invitationSubject(id), email);
  }

  /** An invitation that nobody heard of would only stand in the way of the next. */
  async #takeBack(
    caller: Caller,
    { merchant, id, error }: { merchant: string; id: string; error: unknown },
  ): Promise<never> {
    this.parts.telemetry.log.warn(
      { err: error, invitation: id },
      'the mail of an invitation could not be sent',
    );
    await this.withdraw(caller, { merchant, id });
    throw Problem.unavailable(
      'The mail could not be sent, and the invitation was withdrawn.',
      MAIL_RETRY_SECONDS,
    );
  }
}

const namedBy = (token: string): readonly [id: string, merchant: string] => {
  const [id = '', merchant = ''] = token.split('.');
  return [id, merchant];
};

/** Cannot be matched between merchants. */
const addressDigest = (
  pepper: KeyPepper,
  { merchant, email }: { readonly merchant: string; readonly email: string },
): string => pepper.digest(`${merchant} ${normaliseEmail(email)}`);

/** Whose key its address is sealed under. */
export const invitationSubject = (id: string): string => `invitation-${id}`;
