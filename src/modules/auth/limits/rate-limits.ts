// Token buckets, shared by all nodes in Redis and counted there in one step. While Redis does not
// answer each process counts for itself: then n nodes admit n times as much, but never without limit,
// and in bounded memory. A bucket is one number: the moment at which it will be full again.
import { LRUCache } from 'lru-cache';
import { RedisScript } from '../../../redis/redis-script.js';
import type { RedisStore } from '../../../redis/redis-store.js';

export interface RateLimit {
  /** Of the limit, not of whom it is for: part of the bucket's name. */
  readonly name: string;
  /** At once, and in every `windowMs` from then on. */
  readonly requestsMax: number;
  readonly windowMs: number;
}

export interface Admission {
  readonly admitted: boolean;
  readonly remainingRequests: number;
  readonly fullInSeconds: number;
  /** 0 if admitted. */
  readonly retryAfterSeconds: number;
}

const LOCAL_BUCKETS_MAX = 10_000;
/** What may be missing of a token by rounding. */
const TOLERANCE_MS = 0.001;

/** How long tokens taken ahead can be given out: about as much is taken as is asked for in that time. */
const AHEAD_MS = 200;
/** Of what is left in a bucket, at most so much is taken ahead: near its limit, and with a small one, every token is asked for. */
const AHEAD_SHARE = 1 / 8;

/**
 * As many tokens as there are of those wanted, then some ahead. Reads Redis's clock, so that the nodes' need not
 * agree. Numbers go back as text, or lose their fractions.
 *
 * A token taken ahead may be used AHEAD_MS later, so the bucket must not be full again before: what is missing of
 * it is never less than what is out. Then no moment ever has more tokens than the limit, wherever they are.
 */
const TAKE = new RedisScript(`
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + time[2] / 1000
  local tokenMs, windowMs, wanted, wantedAhead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  local missingMs = math.max(0, (tonumber(redis.call('GET', KEYS[1])) or 0) - nowMs)
  local taken = math.min(wanted, math.floor((windowMs + ${TOLERANCE_MS} - missingMs) / tokenMs))
  if taken <= 0 then return {0, tostring(missingMs), 0} end
  missingMs = missingMs + taken * tokenMs
  local heldMs = math.max(missingMs, ${AHEAD_MS})
  local ahead = math.max(0, math.min(wantedAhead, math.floor((windowMs - heldMs) / tokenMs * ${AHEAD_SHARE})))
  local thenMissingMs = ahead > 0 and heldMs + ahead * tokenMs or missingMs
  redis.call('SET', KEYS[1], nowMs + thenMissingMs, 'PX', math.ceil(thenMissingMs))
  return {taken, tostring(missingMs), ahead}
`);

/** Of a bucket that Redis has, what this node knows. */
interface Share {
  /** When Redis was last asked, and how many have been given a token since. */
  readonly askedAtMs: number;
  given: number;
  /** Taken ahead and still here. */
  ahead: number;
  /** When Redis was asked, without what was taken ahead. */
  readonly missingMs: number;
  /** There was less than one token. */
  readonly isEmpty: boolean;
}

type Asker = (admission: Admission) => void;

export class RateLimits {
  readonly #fullAtMs = new LRUCache<string, number>({ max: LOCAL_BUCKETS_MAX });
  /** By bucket that Redis is asked for at this moment: who has come since. */
  readonly #waiting = new Map<string, Asker[]>();
  readonly #shares = new LRUCache<string, Share>({ max: LOCAL_BUCKETS_MAX });

  constructor(
    private readonly redis: RedisStore,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /**
   * Takes a token out of the subject's bucket, if there is one; at once where no other node counts, or this one has
   * taken some ahead. `subject` must tell nobody who it is.
   * Redis is asked for one bucket once at a time: whoever comes meanwhile is in the next question, however
   * many they are.
   */
  take(limit: RateLimit, subject: string): Admission | Promise<Admission> {
    const bucket = `limit:${limit.name}:${subject}`;
    if (!this.redis.configured) return this.#takeLocally(limit, bucket);
    return (
      this.#takeAhead(limit, bucket) ?? this.#refuseEmpty(limit, bucket) ?? this.#takeFromRedis(limit, bucket)
    );
  }

  /** Of a bucket that each node has for itself. */
  takeHere(limit: RateLimit, subject: string): Admission {
    return this.#takeLocally(limit, `here:${limit.name}:${subject}`);
  }

  #takeAhead(limit: RateLimit, bucket: string): Admission | undefined {
    const share = this.#shares.get(bucket);
    if (share === undefined || share.ahead === 0) return undefined;
    const elapsedMs = this.nowMs() - share.askedAtMs;
    if (elapsedMs >= AHEAD_MS) return undefined;
    share.ahead -= 1;
    share.given += 1;
    const givenMs = (share.given * limit.windowMs) / limit.requestsMax;
    return admissionOf(limit, {
      admitted: true,
      missingMs: Math.max(0, share.missingMs + givenMs - elapsedMs),
    });
  }

  /** An empty bucket has a token again after a time that is known: until then whoever floods asks Redis nothing. */
  #refuseEmpty(limit: RateLimit, bucket: string): Admission | undefined {
    const share = this.#shares.get(bucket);
    if (share === undefined || !share.isEmpty) return undefined;
    const missingMs = share.missingMs - (this.nowMs() - share.askedAtMs);
    if (missingMs + limit.windowMs / limit.requestsMax <= limit.windowMs + TOLERANCE_MS) return undefined;
    return admissionOf(limit, { admitted: false, missingMs });
  }

  #takeFromRedis(limit: RateLimit, bucket: string): Promise<Admission> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(bucket);
      if (waiting === undefined) void this.#serve(limit, bucket, [resolve]);
      else waiting.push(resolve);
    });
  }

  async #serve(limit: RateLimit, bucket: string, first: readonly Asker[]): Promise<void> {
    for (let asking = first; asking.length > 0;) {
      const next: Asker[] = [];
      this.#waiting.set(bucket, next);
      const askedAtMs = this.nowMs();
      const wanted = [asking.length, this.#wantedAhead(bucket, asking.length, askedAtMs)];
      const reply = await this.redis.run((redis) =>
        TAKE.run(redis, [bucket], [limit.windowMs / limit.requestsMax, limit.windowMs, ...wanted]),
      );
      if (reply.outcome === 'unavailable') {
        for (const answer of [...asking, ...next]) answer(this.#takeLocally(limit, bucket));
        break;
      }
      const [taken, missing, ahead] = reply.value as readonly [number, string, number];
      const missingMs = Number(missing);
      this.#shares.set(bucket, { askedAtMs, given: 0, ahead, missingMs, isEmpty: taken < asking.length });
      for (const [index, answer] of asking.entries()) {
        answer(admissionOfMany(limit, { index, taken, missingMs }));
      }
      asking = next;
    }
    this.#waiting.delete(bucket);
  }

  /** As many as come in the time for which they can be used, if it goes on as since Redis was last asked. */
  #wantedAhead(bucket: string, asking: number, nowMs: number): number {
    const share = this.#shares.get(bucket);
    if (share === undefined) return 0;
    return Math.floor(((share.given + asking) * AHEAD_MS) / Math.max(1, nowMs - share.askedAtMs));
  }

  #takeLocally(limit: RateLimit, bucket: string): Admission {
    const nowMs = this.nowMs();
    const tokenMs = limit.windowMs / limit.requestsMax;
    const missingMs = Math.max(0, (this.#fullAtMs.get(bucket) ?? 0) - nowMs);
    const admitted = missingMs + tokenMs <= limit.windowMs + TOLERANCE_MS;
    if (!admitted) return admissionOf(limit, { admitted, missingMs });
    this.#fullAtMs.set(bucket, nowMs + missingMs + tokenMs);
    return admissionOf(limit, { admitted, missingMs: missingMs + tokenMs });
  }
}

interface TakenByMany {
  /** Of who asked, in order. */
  readonly index: number;
  readonly taken: number;
  /** When all have theirs. */
  readonly missingMs: number;
}

/** As if each had asked alone, one after the other. */
function admissionOfMany(limit: RateLimit, { index, taken, missingMs }: TakenByMany): Admission {
  const later = Math.max(0, taken - 1 - index);
  const tokenMs = limit.windowMs / limit.requestsMax;
  return admissionOf(limit, { admitted: index < taken, missingMs: missingMs - later * tokenMs });
}

interface Taken {
  readonly admitted: boolean;
  /** How long the bucket takes to be full again. */
  readonly missingMs: number;
}

function admissionOf({ requestsMax, windowMs }: RateLimit, { admitted, missingMs }: Taken): Admission {
  const tokenMs = windowMs / requestsMax;
  return {
    admitted,
    remainingRequests: Math.max(0, Math.floor((windowMs + TOLERANCE_MS - missingMs) / tokenMs)),
    fullInSeconds: Math.ceil(missingMs / 1000),
    retryAfterSeconds: admitted ? 0 : Math.max(1, Math.ceil((missingMs + tokenMs - windowMs) / 1000)),
  };
}
