// Tokens of other issuers that the operator trusts (OIDC_ISSUERS): asymmetric signatures only, by keys that the
// issuer publishes, found from its configured URL and nowhere else. No redirect is followed, every wait is bounded,
// and keys are kept for a while. An address counts only if the issuer says that it verified it.
import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type FetchImplementation,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import type { ExternalIssuer } from '../../../../config/checks.js';
import { Problem } from '../../../../http/problem.js';
import { TOKEN_CHARACTERS_MAX } from './signed-tokens.js';

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'];
const FETCH_TIMEOUT_MS = 3_000;
const KEYS_KEPT_MS = 600_000;
/** For keys that the issuer has not: an attacker names as many as they like. */
const ASK_AGAIN_AFTER_MS = 30_000;
const CLOCK_TOLERANCE_SECONDS = 5;
const RETRY_AFTER_SECONDS = 10;

/** Whom a token is for, by what its issuer says. */
export interface ExternalIdentity {
  readonly issuer: ExternalIssuer;
  readonly email: string;
  /** Of the claim that names one; undefined: none is named. */
  readonly merchant: string | undefined;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

type KeySet = ReturnType<typeof createRemoteJWKSet>;

export class ExternalIssuers {
  readonly #byIssuer: ReadonlyMap<string, ExternalIssuer>;
  readonly #keySets = new Map<string, Promise<KeySet>>();

  constructor(issuers: readonly ExternalIssuer[]) {
    this.#byIssuer = new Map(issuers.map((one) => [one.issuer, one]));
  }

  /**
   * Undefined: of nobody who is trusted, or not good.
   * @throws Problem 503 when the issuer does not answer.
   */
  async verify(token: string): Promise<ExternalIdentity | undefined> {
    if (this.#byIssuer.size === 0 || token.length > TOKEN_CHARACTERS_MAX) return undefined;
    const issuer = this.#byIssuer.get(issuerOf(token) ?? '');
    if (issuer === undefined) return undefined;
    const keys = await this.#keysOf(issuer);
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer: issuer.issuer,
        audience: issuer.audience,
        requiredClaims: ['exp', 'iat'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      });
      return identityOf(issuer, payload);
    } catch (error) {
      if (isUnanswered(error)) throw unavailable(issuer);
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** Found once; tried again with the next token if the issuer did not answer. */
  #keysOf(issuer: ExternalIssuer): Promise<KeySet> {
    const known = this.#keySets.get(issuer.issuer);
    if (known) return known;
    const finding = discover(issuer);
    this.#keySets.set(issuer.issuer, finding);
    finding.catch(() => this.#keySets.delete(issuer.issuer));
    return finding;
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** @throws Problem 503 */
async function discover(issuer: ExternalIssuer): Promise<KeySet> {
  const base = issuer.issuer.replace(/\/$/, '');
  try {
    const response = await fetch(`${base}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    const { issuer: named, jwks_uri: uri } = (await response.json()) as Record<string, unknown>;
    if (named !== issuer.issuer || typeof uri !== 'string' || !isAllowed(uri, issuer))
      throw unavailable(issuer);
    return createRemoteJWKSet(new URL(uri), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cacheMaxAge: KEYS_KEPT_MS,
      cooldownDuration: ASK_AGAIN_AFTER_MS,
      [customFetch]: withoutRedirects,
    });
  } catch {
    throw unavailable(issuer);
  }
}

const withoutRedirects: FetchImplementation = (url, options) => fetch(url, { ...options, redirect: 'error' });

/** As the issuer itself: over plain HTTP only where that was configured. */
const isAllowed = (uri: string, { issuer }: ExternalIssuer): boolean =>
  URL.canParse(uri) && (uri.startsWith('https://') || new URL(uri).origin === new URL(issuer).origin);

function identityOf(issuer: ExternalIssuer, payload: JWTPayload): ExternalIdentity | undefined {
  const { exp, iat, email_verified: isVerified } = payload;
  const email = payload[issuer.emailClaim];
  const merchant = issuer.merchantClaim === undefined ? undefined : payload[issuer.merchantClaim];
  if (typeof email !== 'string' || isVerified !== true) return undefined;
  return {
    issuer,
    email,
    merchant: typeof merchant === 'string' ? merchant : undefined,
    issuedAtMs: iat! * 1000,
    expiresAtMs: exp! * 1000,
  };
}

/** The issuer's fault, or the network's, not the token's. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  // What `fetch` throws, and what is said of an answer that is not 200.
  return error instanceof TypeError || (error as { code?: unknown }).code === 'ERR_JOSE_GENERIC';
}

const unavailable = ({ issuer }: ExternalIssuer): Problem =>
  Problem.unavailable(`${issuer} does not answer as an issuer of tokens should.`, RETRY_AFTER_SECONDS);
