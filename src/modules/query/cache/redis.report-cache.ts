// The nodes' common cache behind each process's own: memory → Redis → compute. Of nodes that miss the
// same answer at once one computes it; the others wait for it briefly, then compute it themselves. Redis
// can only save work: without it, or with nonsense in it, answers come all the same.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { BatchedGets } from '../../../redis/batched-gets.js';
import { RedisScript } from '../../../redis/redis-script.js';
import type { RedisStore } from '../../../redis/redis-store.js';
import { byteTextOf, textOf } from '../byte-text.js';
import type { QueryTelemetry, SharedCacheOutcome } from '../query.telemetry.js';
import { type CachedReport, type Durability, type MemoryReportCache, ReportCache } from './report-cache.js';

/** Raise it when the shape of what is cached changes: releases that run side by side share a Redis. */
const FORMAT = 4;
/** Keys hold what has changed: an answer about days that go on is hardly asked for again later. */
const KEPT_MS: Readonly<Record<Durability, number>> = { passing: 10 * 60_000, lasting: 24 * 3_600_000 };
const VALUE_BYTES_MAX = 1_048_576;
/** Less than memory holds: what comes round only after all of these is not asked for again soon enough. */
const FOUND_ONCE_MAX = 5_000;
/** How long whoever computes may let others wait, if it dies. */
const LOCK_MS = 5_000;
const WAIT_MAX_MS = 1_000;
const ASK_AGAIN_MS = 25;
const CHECKSUM_BYTES = 8;
const LINE_END = '\n';

/** The answer; or, if there is none, whether the asker is the one to compute it. */
const LOOK_UP = new RedisScript(`
  local value = redis.call('GET', KEYS[1])
  if value then return {value, 0} end
  local locked = redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
  return {false, locked and 1 or 0}
`);

/** Nobody waits longer; a lock that has meanwhile become another's stays. */
const FINISH = new RedisScript(`
  if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
  if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
`);

export interface RedisReportCacheDeps<T extends object> {
  readonly memory: MemoryReportCache<T>;
  readonly redis: RedisStore;
  readonly telemetry: Pick<QueryTelemetry, 'lookedUp'>;
}

/** What can be kept. */
export interface Kept {
  /** Without line breaks, as JSON is, and one character a byte. */
  readonly texts?: readonly string[];
}

/** One asker's business with one key. */
interface Lookup {
  readonly key: string;
  /** With a common hash tag, so that a cluster has both on one node. */
  readonly places: readonly [value: string, lock: string];
  readonly token: string;
  readonly durability: Durability;
}

interface Found<T> {
  readonly outcome: SharedCacheOutcome;
  readonly value?: T | undefined;
}

export class RedisReportCache<T extends object> extends ReportCache<T> {
  readonly #gets: BatchedGets;
  /** Of those found in Redis of late, the keys: what is asked for once must not push out what is asked for again. */
  readonly #foundOnce = new LRUCache<string, true>({ max: FOUND_ONCE_MAX });

  constructor(private readonly deps: RedisReportCacheDeps<T>) {
    super();
    this.#gets = new BatchedGets(deps.redis);
  }

  /** Asks Redis if this process has not got it; nobody is kept from computing it. Kept the second time. */
  find(key: string): T | undefined | Promise<T | undefined> {
    return this.deps.memory.find(key) ?? this.#findInRedis(key);
  }

  async #findInRedis(key: string): Promise<T | undefined> {
    const bytes = await this.#gets.get(placeOf(key));
    const value = bytes === null ? undefined : unsealed<T>(key, bytes);
    // Whatever else comes of it is counted by whoever then computes it.
    if (value === undefined) return undefined;
    this.deps.telemetry.lookedUp('hit');
    this.#keepSecondTime(key, value);
    return value;
  }

  #keepSecondTime(key: string, value: T): void {
    if (this.#foundOnce.delete(key)) this.deps.memory.keep(key, value);
    else this.#foundOnce.set(key, true);
  }

  async get(
    key: string,
    compute: () => Promise<T>,
    durability: Durability = 'passing',
  ): Promise<CachedReport<T>> {
    let found: T | undefined;
    const { memory } = this.deps;
    const cached = await memory.shared(key, async () => {
      const place = placeOf(key);
      const lookup: Lookup = { key, places: [place, `${place}:lock`], token: randomUUID(), durability };
      found = await this.#find(lookup);
      if (found !== undefined) {
        this.#keepSecondTime(key, found);
        return found;
      }
      const computed = await this.#compute(lookup, compute);
      memory.keep(key, computed);
      return computed;
    });
    return found === undefined ? cached : { value: found, source: 'cache' };
  }

  async #find(lookup: Lookup): Promise<T | undefined> {
    const { outcome, value } = await this.#lookUp(lookup);
    this.deps.telemetry.lookedUp(outcome);
    return value;
  }

  async #lookUp({ key, places, token }: Lookup): Promise<Found<T>> {
    const giveUpMs = performance.now() + WAIT_MAX_MS;
    for (let tries = 1; ; tries++) {
      const reply = await this.deps.redis.run((client) => LOOK_UP.run(client, places, [token, LOCK_MS]));
      if (reply.outcome === 'unavailable') return reply;
      const [text, locked] = reply.value as readonly [string | null, 0 | 1];
      if (text !== null) {
        const value = unsealed<T>(key, Buffer.from(text));
        if (value === undefined) return { outcome: 'ignored' };
        return { outcome: tries === 1 ? 'hit' : 'hit-after-waiting', value };
      }
      if (locked === 1) return { outcome: 'miss' };
      if (performance.now() + ASK_AGAIN_MS > giveUpMs) return { outcome: 'waited-in-vain' };
      await delay(ASK_AGAIN_MS);
    }
  }

  async #compute(lookup: Lookup, compute: () => Promise<T>): Promise<T> {
    let bytes: Buffer | '' = '';
    try {
      const value = await compute();
      const whole = sealed(lookup.key, value);
      if (whole.length <= VALUE_BYTES_MAX) bytes = whole;
      return value;
    } finally {
      // The answer does not wait for it.
      const said = [lookup.token, bytes, KEPT_MS[lookup.durability]];
      void this.deps.redis.run((client) => FINISH.run(client, lookup.places, said));
    }
  }
}

const placeOf = (key: string): string => `report:${FORMAT}:{${key}}`;

/**
 * A checksum, the key and the value, a line each; then its texts, which are not made JSON once more. What somebody
 * else put there, or was damaged, is not taken for an answer.
 */
function sealed(key: string, value: object): Buffer {
  const { texts = [], ...rest }: Kept = value;
  const lines = [key, byteTextOf(JSON.stringify(rest)), ...texts].join(LINE_END);
  const bytes = Buffer.from(lines, 'latin1');
  return Buffer.concat([Buffer.from(checksumOf(bytes)), bytes]);
}

function unsealed<T extends object>(key: string, bytes: Buffer): T | undefined {
  const lines = bytes.toString('latin1', CHECKSUM_BYTES);
  if (!lines.startsWith(key) || lines[key.length] !== LINE_END) return undefined;
  if (bytes.toString('latin1', 0, CHECKSUM_BYTES) !== checksumOf(bytes.subarray(CHECKSUM_BYTES)))
    return undefined;
  const [, rest, ...texts] = lines.split(LINE_END) as [string, string, ...string[]];
  const value = JSON.parse(textOf(rest)) as T;
  return texts.length === 0 ? value : { ...value, texts };
}

const checksumOf = (bytes: Buffer): string => crc32(bytes).toString(16).padStart(CHECKSUM_BYTES, '0');
