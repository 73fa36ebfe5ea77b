// Who may make an account here: everybody, whoever was invited, or nobody. A refusal depends on nothing but the
// setting and the token that was shown, so it tells neither who has an account nor who is invited.
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { InvitationsDesk } from '../merchants/invitations.desk.js';

const CLOSED = 'Nobody can register here by themselves: ask whoever runs this installation.';
const INVITED_ONLY =
  'Send the token of an open invitation as invitation, and the address to which it was mailed as email.';

export const REGISTRATION_REFUSED = `${CLOSED} Or: ${INVITED_ONLY}`;

@Injectable()
export class RegistrationGate {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly invitations: InvitationsDesk,
  ) {}

  /**
   * @param invitation the token of one, if any was shown
   * @throws Problem 403
   */
  async admit(email: string, invitation: string | undefined): Promise<void> {
    const { REGISTRATION } = this.config;
    if (REGISTRATION === 'open') return;
    if (REGISTRATION === 'closed') throw refused(CLOSED);
    if (invitation === undefined || !(await this.invitations.isTo(email, invitation))) {
      throw refused(INVITED_ONLY);
    }
  }
}

const refused = (detail: string): Problem =>
  new Problem({ status: 403, type: 'registration-closed', title: 'Registration is not open', detail });
