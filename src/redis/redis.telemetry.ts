// What is measured and said of Redis: whether it can be used, what it did not answer and why, and one
// line at the beginning and at the end of an outage. Errors by their message only: the client library
// attaches the command, and with it passwords and salts.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Telemetry } from '../telemetry/telemetry.js';

/** Why a command was not answered: not sent, no reply in time, an error for a reply, connection lost. */
export type RedisFailure = 'disconnected' | 'timeout' | 'refused' | 'lost';

@Injectable()
export class RedisTelemetry {
  readonly #log: Telemetry['log'];
  readonly #registers: Telemetry['registry'][];
  readonly #failures: Counter<'kind'>;
  #state: 'unknown' | 'connected' | 'away' = 'unknown';

  constructor(telemetry: Telemetry) {
    this.#log = telemetry.log.child({ module: 'redis' });
    this.#registers = [telemetry.registry];
    this.#failures = new Counter({
      name: 'tidemark_redis_failures_total',
      help: 'Commands that Redis did not answer: not sent (disconnected), late (timeout), refused, or lost with the connection.',
      labelNames: ['kind'],
      registers: this.#registers,
    });
  }

  watch(usable: () => boolean): void {
    new Gauge({
      name: 'tidemark_redis_usable_connections',
      help: '1 while Redis is used, 0 while everything is done without it.',
      registers: this.#registers,
      collect() {
        this.set(usable() ? 1 : 0);
      },
    });
  }

  connected(): void {
    if (this.#state !== 'connected') this.#log.info('Redis is used');
    this.#state = 'connected';
  }

  cannotBeUsed(reason: string): void {
    if (this.#state !== 'away') this.#log.warn({ reason }, 'Redis cannot be used, going on without it');
    this.#state = 'away';
  }

  failed(kind: RedisFailure): void {
    this.#failures.inc({ kind });
  }
}
