// What is made of people, in two parts: what every role needs that is asked over HTTP, to tell who asks; and what
// changes accounts, for the api role.
import type { Provider } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { EventStore } from '../../../event-store/event-store.js';
import { openEntitySource } from '../../../postgres/entity-source.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { AuthTelemetry } from '../auth.telemetry.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { KeyPepper } from '../keys/key-pepper.js';
import { RateLimits } from '../limits/rate-limits.js';
import { MemberDirectory } from '../merchants/member.directory.js';
import { AccountView } from './account-view.js';
import { Whences } from '../whences.js';
import { AccountLetters } from './account-letters.js';
import { ErasePersonHandler } from './erase-person.command.js';
import { LogMailer } from './mail/log.mailer.js';
import { Mailer } from './mail/mailer.js';
import { OutgoingMails } from './mail/outgoing-mails.js';
import { SmtpMailer } from './mail/smtp.mailer.js';
import { OwnAccount } from './own-account.js';
import { ChangePasswordHandler } from './passwords/change-password.command.js';
import { PasswordHashing } from './passwords/password-hashing.js';
import { People } from './people.js';
import { PersonalData } from './personal-data.js';
import { PersonDirectory } from './person.directory.js';
import { RegisterPersonHandler } from './register-person.command.js';
import { RenamePersonHandler } from './rename-person.command.js';
import { Sealer } from './sealing.js';
import { DisableTotpHandler, EnableTotpHandler } from './sign-ins/change-totp.command.js';
import { ExternalSignIns } from './sign-ins/external-sign-ins.js';
import { GuessLimits } from './sign-ins/guess-limits.js';
import { RefreshSignInHandler } from './sign-ins/refresh.command.js';
import { SecondFactor } from './sign-ins/second-factor.js';
import { SessionCookie } from './sign-ins/session-cookie.js';
import { SignInPersonHandler } from './sign-ins/sign-in.command.js';
import { SignIn } from './sign-ins/sign-in.entity.js';
import { SignIns } from './sign-ins/sign-ins.js';
import { SignOutHandler } from './sign-ins/sign-out.command.js';
import { SignedInCallers } from './signed-in-callers.js';
import { AccessTokens, publicUrlOf } from './tokens/access-tokens.js';
import { ExternalIssuers } from './tokens/external-issuers.js';
import { MailedTokens } from './tokens/mailed-tokens.js';
import { SigningKeys } from './tokens/signing-keys.js';
import { VerifyEmailHandler } from './verify-email.command.js';

export const CALLER_PROVIDERS: Provider[] = [
  MemberDirectory,
  PersonDirectory,
  {
    provide: SigningKeys,
    inject: [Pool, KeyPepper],
    useFactory: (pool: Pool, pepper: KeyPepper) => new SigningKeys(pool, pepper),
  },
  {
    provide: AccessTokens,
    inject: [SigningKeys, CONFIG],
    useFactory: (keys: SigningKeys, config: Config) => new AccessTokens(keys, publicUrlOf(config)),
  },
  {
    provide: SignIns,
    inject: [Pool, KeyPepper, CONFIG],
    useFactory: async (pool: Pool, pepper: KeyPepper, config: Config) =>
      new SignIns(await openEntitySource(pool, [SignIn]), pepper, config),
  },
  {
    provide: SessionCookie,
    inject: [KeyPepper, CONFIG],
    useFactory: (pepper: KeyPepper, { PUBLIC_URL }: Config) => new SessionCookie(pepper, PUBLIC_URL),
  },
  {
    provide: ExternalSignIns,
    inject: [CONFIG, EventStore, KeyPepper, MemberDirectory, CommandBus],
    useFactory: (
      { OIDC_ISSUERS }: Config,
      eventStore: EventStore,
      ...[pepper, members, commands]: [KeyPepper, MemberDirectory, CommandBus]
    ) => {
      const issuers = new ExternalIssuers(OIDC_ISSUERS);
      return new ExternalSignIns({ issuers, eventStore, pepper, members, commands });
    },
  },
  {
    provide: SignedInCallers,
    inject: [
      ...[AccessTokens, ExternalSignIns, SessionCookie, SignIns, PersonDirectory, MemberDirectory, Whences],
    ],
    useFactory: (
      tokens: AccessTokens,
      external: ExternalSignIns,
      ...[cookie, signIns, people, members, whences]: [
        ...[SessionCookie, SignIns, PersonDirectory, MemberDirectory, Whences],
      ]
    ) => new SignedInCallers({ tokens, external, cookie, signIns, people, members, whences }),
  },
];

export const ACCOUNT_PROVIDERS: Provider[] = [
  SecondFactor,
  RegisterPersonHandler,
  VerifyEmailHandler,
  RenamePersonHandler,
  ErasePersonHandler,
  PersonalData,
  AccountView,
  ChangePasswordHandler,
  SignInPersonHandler,
  RefreshSignInHandler,
  SignOutHandler,
  EnableTotpHandler,
  DisableTotpHandler,
  {
    provide: Sealer,
    inject: [Pool, KeyPepper],
    useFactory: (pool: Pool, pepper: KeyPepper) => new Sealer(pool, pepper),
  },
  {
    provide: People,
    inject: [EventStore, Sealer, KeyPepper, DirectoryFollower],
    useFactory: (
      eventStore: EventStore,
      sealer: Sealer,
      ...[pepper, directories]: [KeyPepper, DirectoryFollower]
    ) => new People({ eventStore, sealer, pepper, directories }),
  },
  {
    provide: OwnAccount,
    inject: [People, PasswordHashing, GuessLimits, SignIns, SecondFactor],
    useFactory: (
      people: People,
      hashing: PasswordHashing,
      ...[limits, signIns, secondFactor]: [GuessLimits, SignIns, SecondFactor]
    ) => new OwnAccount({ people, hashing, limits, signIns, secondFactor }),
  },
  {
    provide: PasswordHashing,
    inject: [CONFIG],
    useFactory: (config: Config) => new PasswordHashing(config),
  },
  {
    provide: MailedTokens,
    inject: [KeyPepper],
    useFactory: (pepper: KeyPepper) => new MailedTokens(pepper),
  },
  {
    provide: GuessLimits,
    inject: [CONFIG, RateLimits, KeyPepper, AuthTelemetry],
    useFactory: (config: Config, limits: RateLimits, ...[pepper, telemetry]: [KeyPepper, AuthTelemetry]) =>
      new GuessLimits({ config, limits, pepper, telemetry }),
  },
  {
    provide: Mailer,
    inject: [CONFIG, Telemetry],
    useFactory: ({ SMTP_URL, MAIL_FROM }: Config, telemetry: Telemetry) =>
      SMTP_URL === undefined ? new LogMailer(telemetry) : new SmtpMailer({ url: SMTP_URL, from: MAIL_FROM }),
  },
  {
    provide: OutgoingMails,
    inject: [Mailer, Telemetry],
    useFactory: (mailer: Mailer, telemetry: Telemetry) => new OutgoingMails(mailer, telemetry),
  },
  {
    provide: AccountLetters,
    inject: [People, MailedTokens, OutgoingMails, CONFIG],
    useFactory: (people: People, tokens: MailedTokens, ...[outgoing, config]: [OutgoingMails, Config]) =>
      new AccountLetters({ people, tokens, outgoing, publicUrl: publicUrlOf(config) }),
  },
];
