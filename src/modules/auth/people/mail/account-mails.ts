// What people are written about their accounts. Plain text; nothing that anybody else could have chosen, such as a
// name, stands in it. Links carry their token behind the #, which no server and no log sees. Pure.
import type { Mail } from './mailer.js';

export const ACCOUNT_PAGE = '/account';

export const linkOf = (publicUrl: string, action: string, token: string): string =>
  `${publicUrl}${ACCOUNT_PAGE}#${action}=${token}`;

interface WithToken {
  readonly to: string;
  readonly publicUrl: string;
  readonly token: string;
}

const mail = (to: string, subject: string, lines: readonly string[]): Mail => ({
  to,
  subject,
  text: `${lines.join('\n')}\n`,
});

export const verificationMail = ({ to, publicUrl, token }: WithToken): Mail =>
  mail(to, 'Confirm your e-mail address', [
    'Somebody, probably you, gave this address for an account at',
    publicUrl,
    '',
    'To confirm that it is yours, open within two days:',
    '',
    linkOf(publicUrl, 'verify', token),
    '',
    'If it was not you, do nothing.',
  ]);

export const emailChangeMail = ({ to, publicUrl, token }: WithToken): Mail =>
  mail(to, 'Confirm your new e-mail address', [
    'You asked to use this address for your account at',
    publicUrl,
    '',
    'To confirm that it is yours, open within a day:',
    '',
    linkOf(publicUrl, 'verify', token),
    '',
    'If it was not you, do nothing.',
  ]);

export const resetMail = ({ to, publicUrl, token }: WithToken): Mail =>
  mail(to, 'Choose a new password', [
    'Somebody, probably you, has forgotten the password of your account at',
    publicUrl,
    '',
    'To choose a new one, open within an hour:',
    '',
    linkOf(publicUrl, 'reset', token),
    '',
    'If it was not you, do nothing: your password stays as it is.',
  ]);

type Notice = Pick<WithToken, 'to' | 'publicUrl'>;

export const registeredBeforeMail = ({ to, publicUrl }: Notice): Mail =>
  mail(to, 'You have an account already', [
    'Somebody, probably you, wanted to register with this address at',
    publicUrl,
    '',
    'It has an account already: sign in, or say that you forgot the password.',
    'If it was not you, do nothing.',
  ]);

export const passwordChangedMail = ({ to, publicUrl }: Notice): Mail =>
  mail(to, 'Your password was changed', [
    'The password of your account was changed at',
    publicUrl,
    '',
    'If it was not you, say there that you forgot it, and choose another.',
  ]);

export const emailChangedMail = ({ to, publicUrl }: Notice): Mail =>
  mail(to, 'Your e-mail address was changed', [
    'Your account goes by another address from now on, at',
    publicUrl,
    '',
    'If it was not you, write to whoever runs it.',
  ]);
