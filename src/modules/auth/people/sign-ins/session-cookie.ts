// The cookie by which a browser is signed in, and what keeps other sites from using it: requests that change
// something need a token that only our own pages can read, and must not come from another origin.
import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../../../http/problem.js';
import type { KeyPepper } from '../../keys/key-pepper.js';

const HARMLESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

type Request = Pick<FastifyRequest, 'headers' | 'method'>;

export class SessionCookie {
  readonly #name: string;
  readonly #attributes: string;
  readonly #origin: string | undefined;

  /** @param publicUrl undefined: whatever host a request names is ours. */
  constructor(
    private readonly pepper: KeyPepper,
    publicUrl: string | undefined,
  ) {
    const isSecure = publicUrl?.startsWith('https:') === true;
    // The prefix has browsers refuse it from a neighbouring host or over plain HTTP.
    this.#name = isSecure ? '__Host-tidemark' : 'tidemark';
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
    this.#origin = publicUrl;
  }

  of({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
    const start = `${this.#name}=`;
    return headers.cookie
      ?.split(';')
      .map((pair) => pair.trim())
      .find((pair) => pair.startsWith(start))
      ?.slice(start.length);
  }

  set(reply: FastifyReply, secret: string, endsAt: Date): void {
    const seconds = Math.floor((endsAt.getTime() - Date.now()) / 1000);
    void reply.header('set-cookie', `${this.#name}=${secret}; ${this.#attributes}; Max-Age=${seconds}`);
  }

  clear(reply: FastifyReply): void {
    void reply.header('set-cookie', `${this.#name}=; ${this.#attributes}; Max-Age=0`);
  }

  /** Follows from the cookie, so that no node has to remember it. */
  csrfToken(secret: string): string {
    return this.pepper.digest(`csrf ${secret}`);
  }

  /** @throws Problem 403 */
  refuseForged(request: Request, secret: string): void {
    if (HARMLESS_METHODS.has(request.method)) return;
    if (!this.#isFromHere(request)) throw Problem.forbidden('Another site may not use this cookie.');
    const given = Buffer.from(String(request.headers['x-csrf-token'] ?? ''));
    const expected = Buffer.from(this.csrfToken(secret));
    if (given.length === expected.length && timingSafeEqual(given, expected)) return;
    throw Problem.forbidden('Send X-CSRF-Token as it was given at sign-in, or as GET /v1/me says it.');
  }

  /** What browsers say of themselves; programs say nothing. */
  #isFromHere({ headers }: Request): boolean {
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    const { origin, host } = headers;
    if (origin === undefined) return true;
    return this.#origin === undefined ? hostOf(origin) === host : origin === this.#origin;
  }
}

const hostOf = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host : undefined;
