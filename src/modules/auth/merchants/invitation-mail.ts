// The mail of an invitation: the only place where its token is shown. Pure.
import type { Role } from '../../../events/merchant.events.js';
import type { Mail } from '../people/mail/mailer.js';

export interface InvitationMail {
  /** Its name. */
  readonly merchant: string;
  readonly role: Role;
  readonly token: string;
  readonly expiresAt: Date;
}

export const invitationMail = ({ merchant, role, token, expiresAt }: InvitationMail): Omit<Mail, 'to'> => ({
  subject: `You are invited to ${merchant}`,
  text: [
    `You are invited to the web analytics of "${merchant}", as ${role}.`,
    '',
    'To accept, sign in, or register first with whichever address you like, and use this token until',
    `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, once:`,
    '',
    `    ${token}`,
    '',
    'Over HTTP: POST /v1/invitations/accept {"token":"…"}.',
    '',
    'Whoever has the token can use it: pass it on to nobody. If you expect no invitation, do nothing.',
    '',
  ].join('\n'),
});
