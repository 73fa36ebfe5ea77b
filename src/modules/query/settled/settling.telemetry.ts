// What settling days measures and says.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { SettleOutcome } from './settle-day.js';

@Injectable()
export class SettlingTelemetry {
  readonly #days: Counter<'outcome'>;
  readonly #seconds: Histogram;
  readonly #unsettled: Gauge;
  readonly #rounds: Gauge;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#days = new Counter({
      name: 'tidemark_query_settled_days_total',
      help: 'Days of large sites computed ahead of questions, by outcome; taken: another node was at it.',
      labelNames: ['outcome'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'tidemark_query_settling_seconds',
      help: 'Time to settle one day of one site.',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    });
    this.#unsettled = new Gauge({
      name: 'tidemark_query_unsettled_days',
      help: 'Days of large sites that were over and not settled when this process last looked.',
      registers,
    });
    this.#rounds = new Gauge({
      name: 'tidemark_query_settling_round_timestamp_seconds',
      help: 'When this process had last looked through all sites.',
      registers,
    });
  }

  settled(outcome: SettleOutcome, seconds: number): void {
    this.#days.inc({ outcome });
    this.#seconds.observe(seconds);
  }

  dayFailed(of: { readonly site: string; readonly day: Date }, error: unknown): void {
    this.#days.inc({ outcome: 'failed' });
    this.telemetry.log.warn(
      { err: error, ...of },
      'A day could not be settled; the facts go on answering it',
    );
  }

  roundEnded({ unsettled, at }: { readonly unsettled: number; readonly at: number }): void {
    this.#unsettled.set(unsettled);
    this.#rounds.set(at / 1000);
  }

  roundFailed(error: unknown): void {
    this.telemetry.log.warn({ err: error }, 'Days of large sites could not be looked for; trying again');
  }
}
