// Access tokens: JWTs that say who is signed in and for whom they act, good for ten minutes. They say nothing of
// what the person may do: that is looked up with every request. One algorithm, and only keys of our own table:
// what a token's header says about where keys are is not read.
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Config } from '../../../../config/config.js';
import { ALGORITHM, type SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_LIFE_SECONDS = 600;
/** RFC 9068: no other kind of JWT is taken for one. */
const TYPE = 'at+jwt';
const CLOCK_TOLERANCE_SECONDS = 5;
const REMEMBERED_MAX = 10_000;
export const TOKEN_CHARACTERS_MAX = 4_096;

/** Who a token is for. */
export interface SignedInPerson {
  readonly person: string;
  /** Null: another issuer signed them in. */
  readonly signIn: string | null;
  /** For whom they act; null: for nobody. */
  readonly merchant: string | null;
  /** Of the person's sign-ins: a later one ends those before. */
  readonly generation: number;
}

interface Remembered {
  readonly who: SignedInPerson;
  readonly expiresAtMs: number;
}

/** Where this installation says it is. */
export const publicUrlOf = ({ PUBLIC_URL, PORT }: Pick<Config, 'PUBLIC_URL' | 'PORT'>): string =>
  PUBLIC_URL ?? `http://localhost:${PORT}`;

export class AccessTokens {
  /** Only those that were proved right. */
  readonly #remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });

  constructor(
    private readonly keys: SigningKeys,
    readonly issuer: string,
    private readonly nowMs: () => number = Date.now,
  ) {}

  async issue({
    person,
    signIn,
    merchant,
    generation,
  }: SignedInPerson & { readonly signIn: string }): Promise<string> {
    const { id, privateKey } = await this.keys.signing();
    const now = Math.floor(this.nowMs() / 1000);
    return new SignJWT({ sid: signIn, generation, ...(merchant !== null && { merchant }) })
      .setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: id })
      .setIssuer(this.issuer)
      .setAudience(this.issuer)
      .setSubject(person)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + ACCESS_TOKEN_LIFE_SECONDS)
      .sign(privateKey);
  }

  /** Undefined: none of ours, changed, or not good at this time. */
  async verify(token: string): Promise<SignedInPerson | undefined> {
    const known = this.#remembered.get(token);
    if (known) return known.expiresAtMs > this.nowMs() ? known.who : undefined;
    if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
    const verified = await this.#verified(token);
    if (verified) this.#remembered.set(token, verified);
    return verified?.who;
  }

  async #verified(token: string): Promise<Remembered | undefined> {
    try {
      const { kid } = decodeProtectedHeader(token);
      const key = typeof kid === 'string' ? await this.keys.verifying(kid) : undefined;
      if (key === undefined) return undefined;
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: this.issuer,
        audience: this.issuer,
        requiredClaims: ['sub', 'sid', 'generation', 'exp', 'nbf', 'iat'],
        maxTokenAge: ACCESS_TOKEN_LIFE_SECONDS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(this.nowMs()),
      });
      const { sub, sid, merchant, generation, exp } = payload as typeof payload & Record<string, unknown>;
      return {
        who: {
          person: sub!,
          signIn: String(sid),
          merchant: typeof merchant === 'string' ? merchant : null,
          generation: Number(generation),
        },
        expiresAtMs: exp! * 1000,
      };
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
