// Who sends a request that shows no key: somebody signed in, by access token, by cookie, or by the token of another
// issuer. What they may is looked up by the member directory as it is now; who was signed out, or is no member any
// more, is refused as soon as this node hears of it.
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { type Caller, NO_MERCHANT, memberCaller } from '../access.js';
import type { Whences } from '../whences.js';
import type { MemberDirectory } from '../merchants/member.directory.js';
import type { PersonDirectory } from './person.directory.js';
import type { ExternalSignIns } from './sign-ins/external-sign-ins.js';
import type { SessionCookie } from './sign-ins/session-cookie.js';
import type { SignIns } from './sign-ins/sign-ins.js';
import type { AccessTokens, SignedInPerson } from './tokens/access-tokens.js';

/** A cookie's row is read once in so long: a dashboard asks a dozen things at a time. */
const COOKIE_REMEMBERED_MS = 2_000;
const COOKIES_REMEMBERED_MAX = 10_000;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

export interface SignedInCallersDeps {
  readonly tokens: AccessTokens;
  readonly external: ExternalSignIns;
  readonly cookie: SessionCookie;
  readonly signIns: SignIns;
  readonly people: PersonDirectory;
  readonly members: MemberDirectory;
  readonly whences: Whences;
}

export class SignedInCallers {
  readonly #cookies = new LRUCache<string, SignedInPerson>({
    max: COOKIES_REMEMBERED_MAX,
    ttl: COOKIE_REMEMBERED_MS,
  });

  constructor(private readonly deps: SignedInCallersDeps) {}

  /**
   * @param bearer what came as Authorization: Bearer, and is no key.
   * @throws Problem 403 when a cookie is used by another site.
   */
  async find(request: FastifyRequest, bearer: string | undefined): Promise<Caller | undefined> {
    const signedIn =
      bearer === undefined ? await this.#byCookie(request) : await this.#byToken(bearer, request);
    if (signedIn === undefined || this.deps.people.hasEnded(signedIn)) return undefined;
    return { ...this.#callerOf(signedIn), signedIn };
  }

  /** Of somebody who was found before: whether they still would be, and may as much. */
  holds(caller: Caller): boolean {
    const { signedIn } = caller;
    return signedIn !== undefined && !this.deps.people.hasEnded(signedIn) && this.deps.members.holds(caller);
  }

  /** Without a merchant, or where they are no member any more: somebody who may nothing but look after themselves. */
  #callerOf({ person, merchant }: SignedInPerson): Caller {
    const member = merchant === null ? undefined : this.deps.members.callerOf(person, merchant);
    return member ?? { ...memberCaller(person, NO_MERCHANT, 'viewer'), scopes: new Set() };
  }

  async #byToken(token: string, request: FastifyRequest): Promise<SignedInPerson | undefined> {
    if (!JWT.test(token)) return undefined;
    const own = await this.deps.tokens.verify(token);
    return own ?? this.deps.external.find(token, () => this.deps.whences.of(request));
  }

  async #byCookie(request: FastifyRequest): Promise<SignedInPerson | undefined> {
    const secret = this.deps.cookie.of(request);
    if (secret === undefined) return undefined;
    const signedIn = this.#cookies.get(secret) ?? (await this.#read(secret));
    if (signedIn) this.deps.cookie.refuseForged(request, secret);
    return signedIn;
  }

  async #read(secret: string): Promise<SignedInPerson | undefined> {
    const row = await this.deps.signIns.byCookie(secret);
    if (row === undefined) return undefined;
    const { id: signIn, person, merchant, generation } = row;
    const signedIn = { person, signIn, merchant, generation };
    this.#cookies.set(secret, signedIn);
    return signedIn;
  }
}
