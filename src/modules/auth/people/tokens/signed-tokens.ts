// JWTs of one kind, signed and verified with our own keys: one algorithm, and what a token's header says about where
// keys are is not read. What a token says of is looked up by whoever asks; here is only that we said it.
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { ALGORITHM, type SigningKeys } from './signing-keys.js';

const CLOCK_TOLERANCE_SECONDS = 5;
const REMEMBERED_MAX = 10_000;
export const TOKEN_CHARACTERS_MAX = 4_096;

export interface TokenKind {
  /** RFC 8725: a token of another kind is not taken for one. */
  readonly type: string;
  readonly lifeSeconds: number;
  /** Beside the subject and the times. */
  readonly requiredClaims: readonly string[];
}

export interface SignedTokensDeps {
  readonly keys: SigningKeys;
  /** Also the audience: we issue to ourselves. */
  readonly issuer: string;
  readonly kind: TokenKind;
  readonly nowMs: () => number;
}

export class SignedTokens {
  /** Only those that were proved right. */
  readonly #remembered = new LRUCache<string, JWTPayload>({ max: REMEMBERED_MAX });

  constructor(private readonly deps: SignedTokensDeps) {}

  async sign(subject: string, claims: JWTPayload): Promise<string> {
    const { keys, issuer, kind, nowMs } = this.deps;
    const { id, privateKey } = await keys.signing();
    const now = Math.floor(nowMs() / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: kind.type, kid: id })
      .setIssuer(issuer)
      .setAudience(issuer)
      .setSubject(subject)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + kind.lifeSeconds)
      .sign(privateKey);
  }

  /** Undefined: none of ours, of another kind, changed, or not good at this time. */
  async verify(token: string): Promise<JWTPayload | undefined> {
    const known = this.#remembered.get(token);
    if (known) return known.exp! * 1000 > this.deps.nowMs() ? known : undefined;
    if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
    const verified = await this.#verified(token);
    if (verified) this.#remembered.set(token, verified);
    return verified;
  }

  async #verified(token: string): Promise<JWTPayload | undefined> {
    const { keys, issuer, kind, nowMs } = this.deps;
    try {
      const { kid, typ } = decodeProtectedHeader(token);
      const key = typ === kind.type && typeof kid === 'string' ? await keys.verifying(kid) : undefined;
      if (key === undefined) return undefined;
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        typ: kind.type,
        issuer,
        audience: issuer,
        requiredClaims: ['sub', 'exp', 'nbf', 'iat', ...kind.requiredClaims],
        maxTokenAge: kind.lifeSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(nowMs()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
