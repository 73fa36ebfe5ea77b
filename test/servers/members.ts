// People who belong to merchants, for specs of what members may and see. They have access tokens without having
// signed in, and their mails are read here.
import { EventStore } from '../../src/event-store/event-store.js';
import type { MerchantEvent } from '../../src/events/merchant.events.js';
import { DirectoryFollower } from '../../src/modules/auth/directories/directory-follower.js';
import { merchantStream, registerMerchant } from '../../src/modules/auth/merchants/merchant.aggregate.js';
import { type Mail, Mailer } from '../../src/modules/auth/people/mail/mailer.js';
import { AccessTokens } from '../../src/modules/auth/people/tokens/access-tokens.js';
import type { Answer, CallOptions, ControlPlane } from './control-plane.js';
import { tokenIn } from './mail-server.js';

type Method = Parameters<ControlPlane['call']>[0];

export class Members {
  readonly mails: Mail[] = [];

  constructor(private readonly plane: ControlPlane) {
    plane.app.get<Mailer>(Mailer).send = (mail) => {
      this.mails.push(mail);
      return Promise.resolve();
    };
  }

  /** With a merchant of their own, as everybody has who registers; its id. */
  async register(person: string): Promise<string> {
    const merchant = `m${person}`;
    const events: readonly MerchantEvent[] = [
      registerMerchant(merchant, `${person}'s sites`),
      { type: 'MemberJoined', data: { merchant, person, role: 'owner' } },
    ];
    await this.plane.app.get(EventStore).append(merchantStream(merchant), events, 'none');
    await this.plane.app.get(DirectoryFollower).settle();
    return merchant;
  }

  /** As somebody who is signed in and acts for the merchant. */
  async call(
    [person, merchant]: readonly [person: string, merchant: string],
    [method, path]: readonly [Method, string],
    options: Omit<CallOptions, 'key'> = {},
  ): Promise<Answer> {
    const signIn = `of-${person}`;
    const key = await this.plane.app.get(AccessTokens).issue({ person, signIn, merchant, generation: 0 });
    return this.plane.call(method, path, { ...options, key });
  }

  /** What the last mail to the address holds. */
  tokenFor(email: string): string {
    const mail = this.mails.findLast(({ to }) => to === email);
    return tokenIn(mail?.text ?? '');
  }

  /** Invited by an owner, and accepted. */
  async join(person: string, merchant: string, role: string): Promise<void> {
    const email = `${person}@people.example`;
    await this.plane.call('POST', `/v1/merchant/invitations?merchant=${merchant}`, { body: { email, role } });
    const body = { token: this.tokenFor(email) };
    await this.call([person, `m${person}`], ['POST', '/v1/invitations/accept'], { body });
  }
}
