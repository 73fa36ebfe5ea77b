// The settings of people's accounts: signing in, mail, other issuers of tokens.
import { z } from 'zod';
import { externalIssuers, httpOrigin, mailSender, wholeNumber } from './checks.js';
import { secret, setting } from './setting.js';

export const ACCOUNT_SETTINGS = {
  PUBLIC_URL: setting(
    'Where people reach this installation, such as https://stats.example.com: in links of mails, as issuer of access tokens, and whether cookies are Secure. Absent: http://localhost and PORT.',
    httpOrigin.optional(),
  ),
  SMTP_URL: secret(
    'Mail server, smtp://user:password@host:587 or smtps://…:465. Absent: mails are written to the log.',
    z
      .string()
      .regex(/^smtps?:\/\/[^\s]+$/, 'must start with smtp:// or smtps://')
      .refine((url) => URL.canParse(url), 'must be a URL')
      .optional(),
  ),
  MAIL_FROM: setting('Whom mails come from.', mailSender.prefault('Tidemark <tidemark@localhost>')),
  REGISTRATION: setting(
    'Who may make an account with a password: everybody (open), whoever shows an invitation to that address (invited), or nobody (closed). Issuers of OIDC_ISSUERS say so for themselves.',
    z.enum(['open', 'invited', 'closed']).prefault('open'),
  ),
  AUTH_EMAIL_VERIFICATION: setting(
    'Whether people must have verified their e-mail address to sign in. Absent: required if SMTP_URL is given, else optional.',
    z.enum(['required', 'optional']).optional(),
  ),
  AUTH_SIGN_IN_IDLE_DAYS: setting(
    'Days without use after which a sign-in ends.',
    wholeNumber(1, 365).prefault('14'),
  ),
  AUTH_SIGN_IN_DAYS_MAX: setting(
    'Days after which a sign-in ends, however much it is used.',
    wholeNumber(1, 365).prefault('90'),
  ),
  AUTH_GUESSES_PER_ACCOUNT_MAX: setting(
    'Sign-ins that one client address (IPv6: /64) may try for one account in ten minutes; all addresses together may try five times as many.',
    wholeNumber(1, 1_000_000).prefault('10'),
  ),
  AUTH_GUESSES_PER_ADDRESS_MAX: setting(
    'Sign-ins, registrations and mails that one client address (IPv6: /64) may ask for in ten minutes, whatever the account.',
    wholeNumber(1, 1_000_000).prefault('100'),
  ),
  PASSWORD_HASH_COST: setting(
    'How costly it is to try a password: scrypt with N = 2^cost, r = 8, p = 3; 15 takes 32 MiB and some 0.2 s. Passwords are hashed anew at the next sign-in after it was raised.',
    wholeNumber(12, 20).prefault('15'),
  ),
  OIDC_ISSUERS: setting(
    'Other issuers whose tokens sign people in by their verified e-mail address, as JSON: [{"issuer":"https://id.example.com","audience":"tidemark","emailClaim":"email","register":false}]. Absent: none.',
    externalIssuers.prefault('[]'),
  ),
} as const;
