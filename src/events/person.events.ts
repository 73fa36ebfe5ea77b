// What people did to their accounts, and with them. A person is the stream `person-{id}`. An e-mail address is
// claimed first on `email-{digest}`, so that two people can never have one address whatever the event store. A
// sign-in is a stream of its own, `sign-in-{id}`, so that a person's stays short. Addresses and names are sealed
// under a key of the person's that lies outside the event store; digests are HMAC-SHA-256 under the
// installation's pepper, hexadecimal.

type OfPerson = { readonly person: string };
type OfSignIn = OfPerson & { readonly signIn: string };

/** What a sealed text is opened with lies elsewhere. */
export type Sealed = string;

export type PersonEvent =
  | {
      readonly type: 'PersonRegistered';
      readonly data: OfPerson & {
        readonly email: Sealed;
        readonly emailDigest: string;
        readonly name: Sealed | null;
        /** Hash of the password, sealed; null: signs in through another issuer only. */
        readonly password: Sealed | null;
      };
    }
  | { readonly type: 'PersonRenamed'; readonly data: OfPerson & { readonly name: Sealed } }
  | { readonly type: 'EmailVerified'; readonly data: OfPerson & { readonly emailDigest: string } }
  | {
      readonly type: 'EmailChanged';
      /** Verified: whoever changed it had got a mail there. */
      readonly data: OfPerson & { readonly email: Sealed; readonly emailDigest: string };
    }
  | {
      readonly type: 'PasswordChanged';
      /** By mail: the person had forgotten the old one. Ends all sign-ins. */
      readonly data: OfPerson & { readonly password: Sealed; readonly byMail: boolean };
    }
  /** The same password at today's cost. */
  | { readonly type: 'PasswordRehashed'; readonly data: OfPerson & { readonly password: Sealed } }
  | {
      readonly type: 'TotpEnabled';
      readonly data: OfPerson & {
        readonly secret: Sealed;
        /** Digests; each code is good once. */
        readonly recoveryCodes: readonly string[];
      };
    }
  | { readonly type: 'TotpDisabled'; readonly data: OfPerson }
  | { readonly type: 'RecoveryCodeUsed'; readonly data: OfPerson & { readonly recoveryCode: string } }
  | { readonly type: 'SignedOutEverywhere'; readonly data: OfPerson }
  /** Ends all sign-ins and the account. What was sealed for the person cannot be opened any more. */
  | { readonly type: 'PersonErased'; readonly data: OfPerson };

export type EmailEvent =
  | { readonly type: 'EmailClaimed'; readonly data: OfPerson & { readonly emailDigest: string } }
  | { readonly type: 'EmailReleased'; readonly data: OfPerson & { readonly emailDigest: string } };

export type SignInEvent =
  | { readonly type: 'SignedIn'; readonly data: OfSignIn }
  | { readonly type: 'SignedOut'; readonly data: OfSignIn }
  /** A refresh token came a second time: somebody else may have it. Ends the sign-in. */
  | { readonly type: 'RefreshTokenReused'; readonly data: OfSignIn };
