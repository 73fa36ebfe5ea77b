// Access tokens: JWTs that say who is signed in and for whom they act, good for ten minutes. They say nothing of
// what the person may do: that is looked up with every request.
import type { Config } from '../../../../config/config.js';
import { SignedTokens } from './signed-tokens.js';
import type { SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_LIFE_SECONDS = 600;
/** The type is that of RFC 9068. */
const ACCESS = {
  type: 'at+jwt',
  lifeSeconds: ACCESS_TOKEN_LIFE_SECONDS,
  requiredClaims: ['sid', 'generation'],
};

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

/** Where this installation says it is. */
export const publicUrlOf = ({ PUBLIC_URL, PORT }: Pick<Config, 'PUBLIC_URL' | 'PORT'>): string =>
  PUBLIC_URL ?? `http://localhost:${PORT}`;

export class AccessTokens {
  readonly #tokens: SignedTokens;

  constructor(
    keys: SigningKeys,
    readonly issuer: string,
    nowMs: () => number = Date.now,
  ) {
    this.#tokens = new SignedTokens({ keys, issuer, kind: ACCESS, nowMs });
  }

  issue({
    person,
    signIn,
    merchant,
    generation,
  }: SignedInPerson & { readonly signIn: string }): Promise<string> {
    return this.#tokens.sign(person, { sid: signIn, generation, ...(merchant !== null && { merchant }) });
  }

  /** Undefined: none of ours, changed, or not good at this time. */
  async verify(token: string): Promise<SignedInPerson | undefined> {
    const claims = await this.#tokens.verify(token);
    if (claims === undefined) return undefined;
    const { sub, sid, merchant, generation } = claims as typeof claims & Record<string, unknown>;
    return {
      person: sub!,
      signIn: String(sid),
      merchant: typeof merchant === 'string' ? merchant : null,
      generation: Number(generation),
    };
  }
}
