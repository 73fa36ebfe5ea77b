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

/**
 * As many tokens as there are of those wanted. Reads Redis's clock, so that the nodes' need not agree. Numbers
 * go back as text, or lose their fractions.
 */
const TAKE = new RedisScript(`
  local time = redis.call('TIME')
  local nowMs = time[1] * 1000 + time[2] / 1000
  local tokenMs, windowMs, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local missingMs = math.max(0, (tonumber(redis.call('GET', KEYS[1])) or 0) - nowMs)
  local taken = math.min(wanted, math.floor((windowMs + ${TOLERANCE_MS} - missingMs) / tokenMs))
  if taken <= 0 then return {0, tostring(missingMs)} end
  missingMs = missingMs + taken * tokenMs
  redis.call('SET', KEYS[1], nowMs + missingMs, 'PX', math.ceil(missingMs))
  return {taken, tostring(missingMs)}
`);

type Asker = (admission: Admission) => void;

export class RateLimits {
  readonly #fullAtMs = new LRUCache<string, number>({ max: LOCAL_BUCKETS_MAX });
  /** By bucket that Redis is asked for at this moment: who has come since. */
  readonly #waiting = new Map<string, Asker[]>();

  constructor(
    private readonly redis: RedisStore,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /**
   * Takes a token out of the subject's bucket, if there is one. `subject` must tell nobody who it is.
   * Redis is asked for one bucket once at a time: whoever comes meanwhile is in the next question, however
   * many they are.
   */
  take(limit: RateLimit, subject: string): Promise<Admission> {
    const bucket = `limit:${limit.name}:${subject}`;
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
      const wanted = asking.length;
      const reply = await this.redis.run((redis) =>
        TAKE.run(redis, [bucket], [limit.windowMs / limit.requestsMax, limit.windowMs, wanted]),
      );
      if (reply.outcome === 'unavailable') {
        for (const answer of [...asking, ...next]) answer(this.takeLocally(limit, bucket));
        break;
      }
      const [taken, missingMs] = reply.value as readonly [number, string];
      for (const [index, answer] of asking.entries()) {
        answer(admissionOfMany(limit, { index, taken, missingMs: Number(missingMs) }));
      }
      asking = next;
    }
    this.#waiting.delete(bucket);
  }

  private takeLocally(limit: RateLimit, bucket: string): Admission {
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
