// The nodes' common cache behind each process's own: memory → Redis → compute. Of nodes that miss the
// same answer at once one computes it; the others wait for it briefly, then compute it themselves. Redis
// can only save work: without it, or with nonsense in it, answers come all the same.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { RedisScript } from '../../../redis/redis-script.js';
import type { RedisStore } from '../../../redis/redis-store.js';
import type { QueryTelemetry, SharedCacheOutcome } from '../query.telemetry.js';
import { type CachedReport, type Durability, type MemoryReportCache, ReportCache } from './report-cache.js';

/** Raise it when the shape of what is cached changes: releases that run side by side share a Redis. */
const FORMAT = 3;
/** Keys hold what has changed: an answer about days that go on is hardly asked for again later. */
const KEPT_MS: Readonly<Record<Durability, number>> = { passing: 10 * 60_000, lasting: 24 * 3_600_000 };
const VALUE_CHARACTERS_MAX = 1_048_576;
/** How long whoever computes may let others wait, if it dies. */
const LOCK_MS = 5_000;
const WAIT_MAX_MS = 1_000;
const ASK_AGAIN_MS = 25;
const CHECKSUM_CHARACTERS = 8;
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
  /** Without line breaks, as JSON is. */
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
  constructor(private readonly deps: RedisReportCacheDeps<T>) {
    super();
  }

  /** One GET if this process has not got it; nobody is kept from computing it. */
  find(key: string): T | undefined | Promise<T | undefined> {
    return this.deps.memory.find(key) ?? this.#findInRedis(key);
  }

  async #findInRedis(key: string): Promise<T | undefined> {
    const { redis, memory, telemetry } = this.deps;
    const reply = await redis.run((client) => client.get(placeOf(key)));
    if (reply.outcome === 'unavailable' || reply.value === null) return undefined;
    const value = unsealed<T>(key, reply.value);
    // Whatever else comes of it is counted by whoever then computes it.
    if (value === undefined) return undefined;
    telemetry.lookedUp('hit');
    memory.keep(key, value);
    return value;
  }

  async get(
    key: string,
    compute: () => Promise<T>,
    durability: Durability = 'passing',
  ): Promise<CachedReport<T>> {
    let found: T | undefined;
    const cached = await this.deps.memory.get(key, async () => {
      const place = placeOf(key);
      const lookup: Lookup = { key, places: [place, `${place}:lock`], token: randomUUID(), durability };
      found = await this.#find(lookup);
      return found ?? this.#compute(lookup, compute);
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
        const value = unsealed<T>(key, text);
        if (value === undefined) return { outcome: 'ignored' };
        return { outcome: tries === 1 ? 'hit' : 'hit-after-waiting', value };
      }
      if (locked === 1) return { outcome: 'miss' };
      if (performance.now() + ASK_AGAIN_MS > giveUpMs) return { outcome: 'waited-in-vain' };
      await delay(ASK_AGAIN_MS);
    }
  }

  async #compute(lookup: Lookup, compute: () => Promise<T>): Promise<T> {
    let text = '';
    try {
      const value = await compute();
      const whole = sealed(lookup.key, value);
      if (whole.length <= VALUE_CHARACTERS_MAX) text = whole;
      return value;
    } finally {
      // The answer does not wait for it.
      const said = [lookup.token, text, KEPT_MS[lookup.durability]];
      void this.deps.redis.run((client) => FINISH.run(client, lookup.places, said));
    }
  }
}

const placeOf = (key: string): string => `report:${FORMAT}:{${key}}`;

/**
 * A checksum, the key and the value, a line each; then its texts, which are not made JSON once more. What somebody
 * else put there, or was damaged, is not taken for an answer.
 */
function sealed(key: string, value: object): string {
  const { texts = [], ...rest }: Kept = value;
  const lines = [key, JSON.stringify(rest), ...texts].join(LINE_END);
  return checksumOf(lines) + lines;
}

function unsealed<T extends object>(key: string, text: string): T | undefined {
  const lines = text.slice(CHECKSUM_CHARACTERS);
  if (!lines.startsWith(key + LINE_END) || !text.startsWith(checksumOf(lines))) return undefined;
  const [, rest, ...texts] = lines.split(LINE_END) as [string, string, ...string[]];
  const value = JSON.parse(rest) as T;
  return texts.length === 0 ? value : { ...value, texts };
}

const checksumOf = (text: string): string => crc32(text).toString(16).padStart(CHECKSUM_CHARACTERS, '0');
