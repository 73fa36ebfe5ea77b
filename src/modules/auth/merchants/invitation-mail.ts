// The mail of an invitation: the only place where its token is shown. Pure.
import type { Config } from '../../../config/config.js';
import type { Role } from '../../../events/merchant.events.js';
import { linkOf } from '../people/mail/account-mails.js';
import type { Mail } from '../people/mail/mailer.js';

export interface InvitationMail {
  readonly to: string;
  readonly publicUrl: string;
  /** Who may register to accept it. */
  readonly registration: Config['REGISTRATION'];
  /** Its name. */
  readonly merchant: string;
  readonly role: Role;
  readonly token: string;
  readonly expiresAt: Date;
}

const OR_REGISTER: Readonly<Record<Config['REGISTRATION'], string>> = {
  open: ', or register there with whichever address you like',
  invited: ', or register there with the address that this was sent to',
  closed: '',
};

export const invitationMail = ({
  to,
  publicUrl,
  registration,
  merchant,
  role,
  token,
  expiresAt,
}: InvitationMail): Mail => ({
  to,
  subject: `You are invited to ${merchant}`,
  text: [
    `You are invited to the web analytics of "${merchant}", as ${role}, at`,
    publicUrl,
    '',
    `To accept, open this and sign in${OR_REGISTER[registration]}, until`,
    `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, once:`,
    '',
    linkOf(publicUrl, 'invitation', token),
    '',
    'Over HTTP, what stands behind the = is the token of POST /v1/invitations/accept {"token":"…"}.',
    '',
    'Whoever has the link can use it: pass it on to nobody. If you expect no invitation, do nothing.',
    '',
  ].join('\n'),
});
