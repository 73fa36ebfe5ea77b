// How often a key may ask, and how often an address may ask in vain: 429 with Retry-After beyond that.
// A valid key is never held back by what others behind its address try: an office, or a balancer that
// is not trusted to name its clients, is one address for many.
import type { FastifyReply } from 'fastify';
import type { Config } from '../../../config/config.js';
import { ofStatus } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import type { Caller } from '../access.js';
import type { AuthTelemetry } from '../auth.telemetry.js';
import { networkOf } from './client-network.js';
import type { KeyPepper } from '../keys/key-pepper.js';
import type { Admission, RateLimit, RateLimits } from './rate-limits.js';

const WINDOW_MS = 60_000;

export interface RequestLimitsDeps {
  readonly config: Pick<Config, 'KEY_REQUESTS_PER_MINUTE_MAX' | 'REFUSED_KEYS_PER_MINUTE_MAX'>;
  readonly limits: RateLimits;
  readonly pepper: KeyPepper;
  readonly telemetry: AuthTelemetry;
}

export class RequestLimits {
  readonly #ofKeys: RateLimit;
  readonly #ofRefusals: RateLimit;

  constructor(private readonly deps: RequestLimitsDeps) {
    const { config } = deps;
    this.#ofKeys = { name: 'key', requestsMax: config.KEY_REQUESTS_PER_MINUTE_MAX, windowMs: WINDOW_MS };
    this.#ofRefusals = {
      name: 'refused',
      requestsMax: config.REFUSED_KEYS_PER_MINUTE_MAX,
      windowMs: WINDOW_MS,
    };
  }

  /**
   * At once if nobody has to be asked.
   * @throws Problem 429
   */
  countRequest(caller: Caller, reply: FastifyReply): void | Promise<void> {
    const admission = this.take(caller);
    if (!(admission instanceof Promise)) return this.answer(reply, admission);
    return admission.then((given) => this.answer(reply, given));
  }

  /** The caller's token for a request, if there is one; at once if nobody has to be asked. */
  take({ id }: Caller): Admission | Promise<Admission> {
    return this.deps.limits.take(this.#ofKeys, id);
  }

  /** What an answer says about it: names and values in turn. */
  headersOf(admission: Admission): readonly string[] {
    return headersOf(this.#ofKeys, admission);
  }

  /** @throws Problem 429 */
  answer(reply: FastifyReply, admission: Admission): void {
    if (!admission.admitted) this.deps.telemetry.refused('too-many-requests');
    answer(reply, this.#ofKeys, admission);
  }

  /**
   * @param address is hashed under the pepper, which every node has and Redis does not: from what is
   * stored there for a minute no address can be found by trying them all.
   * @throws Problem 429
   */
  async countRefusal(address: string, reply: FastifyReply): Promise<void> {
    const subject = this.deps.pepper.digest(`client network ${networkOf(address)}`).slice(0, 32);
    answer(reply, this.#ofRefusals, await this.deps.limits.take(this.#ofRefusals, subject));
  }
}

function headersOf({ requestsMax, windowMs }: RateLimit, admission: Admission): readonly string[] {
  return [
    ...['ratelimit-policy', `${requestsMax};w=${windowMs / 1000}`],
    ...['ratelimit-limit', String(requestsMax)],
    ...['ratelimit-remaining', String(admission.remainingRequests)],
    ...['ratelimit-reset', String(admission.fullInSeconds)],
  ];
}

/** @throws Problem 429 */
function answer(reply: FastifyReply, limit: RateLimit, admission: Admission): void {
  const headers = headersOf(limit, admission);
  for (let at = 0; at < headers.length; at += 2) void reply.header(headers[at]!, headers[at + 1]!);
  if (admission.admitted) return;
  const { retryAfterSeconds } = admission;
  const { requestsMax } = limit;
  const detail = `More than ${requestsMax} requests in a minute. Try again in ${retryAfterSeconds} s.`;
  throw new Problem({ ...ofStatus(429, detail), retryAfterSeconds });
}
