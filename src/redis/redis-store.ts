// The process's way to Redis. Whoever asks gets an answer or is told 'unavailable', within
// REDIS_TIMEOUT_MS and without an exception: all that Redis holds can be done without.
// The connection is the breaker: one that has stopped answering is dropped (open), a new one is tried
// in the background and must answer first (half-open), so that no request pays for trying.
import type { OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';
import type { Config } from '../config/config.js';
import { within } from '../waiting/within.js';
import { InTime, LateError } from './in-time.js';
import type { RedisFailure, RedisTelemetry } from './redis.telemetry.js';

/** Of silence, after which Redis hangs: not one, because a single command may be slow. */
const HUNG_AFTER_TIMEOUTS = 2;
const CONNECT_TIMEOUT_MS = 500;
/** Of what the client library asks by itself on a new connection; whoever uses it waits less long (`InTime`). */
const HANDSHAKE_TIMEOUT_MS = 1_500;
const HANG_UP_TIMEOUT_MS = 50;
const RECONNECT_INTERVAL_MS = 500;

export type RedisReply<T> =
  { readonly outcome: 'answered'; readonly value: T } | { readonly outcome: 'unavailable' };

const UNAVAILABLE = { outcome: 'unavailable' } as const;

export type RedisConfig = Pick<Config, 'REDIS_URL' | 'REDIS_KEY_PREFIX' | 'REDIS_TIMEOUT_MS'>;

export class RedisStore implements OnApplicationShutdown {
  readonly #redis: Redis | undefined;
  readonly #hungAfterMs: number;
  readonly #inTime: InTime;
  #usable = false;
  #unansweredSinceMs: number | undefined;

  /** Returns at once: the connection is made in the background. */
  constructor(
    config: RedisConfig,
    private readonly telemetry: RedisTelemetry,
  ) {
    this.#hungAfterMs = HUNG_AFTER_TIMEOUTS * config.REDIS_TIMEOUT_MS;
    this.#inTime = new InTime(config.REDIS_TIMEOUT_MS);
    if (config.REDIS_URL === undefined) return;
    this.#redis = connect(config.REDIS_URL, config);
    this.#follow(this.#redis);
    telemetry.watch(() => this.#usable);
  }

  /** Without REDIS_URL, every command is answered 'unavailable'. */
  get configured(): boolean {
    return this.#redis !== undefined;
  }

  get usable(): boolean {
    return this.#usable;
  }

  /** Waits until Redis can be used, at most so long: for what is done once, at boot. */
  async ready(timeoutMs: number): Promise<void> {
    if (this.#redis === undefined || this.#usable) return;
    const ready = new Promise((resolve) => this.#redis?.once('ready', resolve));
    await within(timeoutMs, ready);
  }

  /** Keys are prefixed; the keys of one call must share a `{hash tag}`, so that a cluster has them on one node. */
  async run<T>(commands: (redis: Redis) => Promise<T>): Promise<RedisReply<T>> {
    if (this.#redis === undefined) return UNAVAILABLE;
    if (!this.#usable) return this.#unavailable('disconnected');
    try {
      const value = await this.#inTime.of(commands(this.#redis));
      this.#unansweredSinceMs = undefined;
      return { outcome: 'answered', value };
    } catch (error) {
      return this.#unavailable(failureOf(error as Error));
    }
  }

  onApplicationShutdown(): void {
    this.#redis?.disconnect();
  }

  #follow(redis: Redis): void {
    redis.on('ready', () => {
      this.#usable = true;
      this.#unansweredSinceMs = undefined;
      this.telemetry.connected();
    });
    redis.on('close', () => (this.#usable = false));
    redis.on('error', (error: Error) => this.telemetry.cannotBeUsed(error.message));
  }

  #unavailable(failure: RedisFailure): { readonly outcome: 'unavailable' } {
    this.telemetry.failed(failure);
    if (failure === 'refused') this.#unansweredSinceMs = undefined;
    if (failure === 'timeout') this.#timedOut();
    return UNAVAILABLE;
  }

  #timedOut(): void {
    const nowMs = performance.now();
    this.#unansweredSinceMs ??= nowMs;
    if (!this.#usable || nowMs - this.#unansweredSinceMs < this.#hungAfterMs) return;
    this.#usable = false;
    this.telemetry.cannotBeUsed('it has stopped answering');
    this.#redis?.disconnect(true);
  }
}

function connect(url: string, config: RedisConfig): Redis {
  return new Redis(url, {
    keyPrefix: config.REDIS_KEY_PREFIX,
    connectionName: 'tidemark',
    disableClientInfo: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: HANG_UP_TIMEOUT_MS,
    commandTimeout: HANDSHAKE_TIMEOUT_MS,
    retryStrategy: () => RECONNECT_INTERVAL_MS * (0.5 + Math.random()),
    // After a failover the old primary is a replica: the name may lead elsewhere by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    // Nothing waits for a connection, nothing is sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
}

function failureOf(error: Error): RedisFailure {
  if (error.name === 'ReplyError') return 'refused';
  return error instanceof LateError || error.message === 'Command timed out' ? 'timeout' : 'lost';
}
