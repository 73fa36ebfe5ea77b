// How often a key may ask, how often one of those who came by a shared link, and how often an address may ask in
// vain: 429 with Retry-After beyond that.
// A valid key is never held back by what others behind its address try: an office, or a balancer that
// is not trusted to name its clients, is one address for many.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../../../config/config.js';
import { ofStatus } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import { flat } from '../../../http/security-headers.js';
import type { Caller, ViaLink } from '../access.js';
import type { AuthTelemetry } from '../auth.telemetry.js';
import { networkOf } from './client-network.js';
import type { KeyPepper } from '../keys/key-pepper.js';
import type { Admission, RateLimit, RateLimits } from './rate-limits.js';
import { rateHeaders } from './standing.js';

const WINDOW_MS = 60_000;

export interface RequestLimitsDeps {
  readonly config: Pick<
    Config,
    'KEY_REQUESTS_PER_MINUTE_MAX' | 'LINK_VISITOR_REQUESTS_PER_MINUTE_MAX' | 'REFUSED_KEYS_PER_MINUTE_MAX'
  >;
  readonly limits: RateLimits;
  readonly pepper: KeyPepper;
  readonly telemetry: AuthTelemetry;
}

interface Counted {
  readonly limit: RateLimit;
  readonly admission: Admission;
}

export class RequestLimits {
  readonly #ofKeys: RateLimit;
  readonly #ofVisitors: RateLimit;
  readonly #ofRefusals: RateLimit;

  constructor(private readonly deps: RequestLimitsDeps) {
    const { config } = deps;
    this.#ofKeys = limitOf('key', config.KEY_REQUESTS_PER_MINUTE_MAX);
    this.#ofVisitors = limitOf('link-visitor', config.LINK_VISITOR_REQUESTS_PER_MINUTE_MAX);
    this.#ofRefusals = limitOf('refused', config.REFUSED_KEYS_PER_MINUTE_MAX);
  }

  /**
   * At once if nobody has to be asked. Whoever came by a shared link has a share of their own in what the link may:
   * what is refused to one of them takes nothing from the others.
   * @throws Problem 429
   */
  countRequest(
    caller: Caller,
    { ip }: Pick<FastifyRequest, 'ip'>,
    reply: FastifyReply,
  ): void | Promise<void> {
    const own = caller.viaLink && this.#takeAsVisitor(caller.viaLink, ip);
    if (own?.admission.admitted === false) return this.#answer(reply, own);
    const taken = this.take(caller);
    if (!(taken instanceof Promise)) return this.#answer(reply, this.#tighter(taken, own));
    return taken.then((admission) => this.#answer(reply, this.#tighter(admission, own)));
  }

  /** The token of a key, or of all who came by one link, for a request, if there is one; at once if nobody has to be asked. */
  take({ id }: Caller): Admission | Promise<Admission> {
    return this.deps.limits.take(this.#ofKeys, id);
  }

  /** What an answer says of a key's token: names and values in turn. */
  headersOf(admission: Admission): readonly string[] {
    return flat(headersOf(this.#ofKeys, admission));
  }

  /**
   * With a key's token that was taken before.
   * @throws Problem 429
   */
  answer(reply: FastifyReply, admission: Admission): void {
    this.#answer(reply, { limit: this.#ofKeys, admission });
  }

  /** Not in Redis, which needs not know who looks at what. */
  #takeAsVisitor({ link }: ViaLink, address: string): Counted {
    const subject = this.#subjectOf(`visitor of ${link}`, address);
    return { limit: this.#ofVisitors, admission: this.deps.limits.takeHere(this.#ofVisitors, subject) };
  }

  /** Which of the two a client is told of. */
  #tighter(admission: Admission, own: Counted | undefined): Counted {
    const all = { limit: this.#ofKeys, admission };
    if (own === undefined || !admission.admitted) return all;
    return own.admission.remainingRequests < admission.remainingRequests ? own : all;
  }

  #answer(reply: FastifyReply, { limit, admission }: Counted): void {
    if (!admission.admitted) this.deps.telemetry.refused('too-many-requests');
    answer(reply, limit, admission);
  }

  /** The same wherever the address is one client's, see networkOf. */
  #subjectOf(kind: string, address: string): string {
    return this.deps.pepper.digest(`${kind} ${networkOf(address)}`).slice(0, 32);
  }

  /**
   * @param address is hashed under the pepper, which every node has and Redis does not: from what is
   * stored there for a minute no address can be found by trying them all.
   * @throws Problem 429
   */
  async countRefusal(address: string, reply: FastifyReply): Promise<void> {
    const subject = this.#subjectOf('client network', address);
    answer(reply, this.#ofRefusals, await this.deps.limits.take(this.#ofRefusals, subject));
  }
}

const limitOf = (name: string, requestsMax: number): RateLimit => ({
  name,
  requestsMax,
  windowMs: WINDOW_MS,
});

const headersOf = ({ requestsMax: max, windowMs }: RateLimit, admission: Admission) =>
  rateHeaders({
    ...{ max, windowSeconds: windowMs / 1000 },
    ...{ remaining: admission.remainingRequests, fullInSeconds: admission.fullInSeconds },
  });

/** @throws Problem 429 */
function answer(reply: FastifyReply, limit: RateLimit, admission: Admission): void {
  void reply.headers(headersOf(limit, admission));
  if (admission.admitted) return;
  const { retryAfterSeconds } = admission;
  const { requestsMax } = limit;
  const detail = `More than ${requestsMax} requests in a minute. Try again in ${retryAfterSeconds} s.`;
  throw new Problem({ ...ofStatus(429, detail), retryAfterSeconds });
}
