// What is measured and said of dividing the partitions.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { Partition } from '../../../tracking-log/tracking-log.js';

export interface AssignmentChanged {
  readonly assigned: readonly Partition[];
  readonly revoked: readonly Partition[];
  readonly all: readonly Partition[];
}

@Injectable()
export class SharingTelemetry {
  readonly #assigned: Gauge;
  readonly #failures: Counter;
  #interrupted = false;

  constructor(private readonly telemetry: Telemetry) {
    const registers = [telemetry.registry];
    this.#assigned = new Gauge({
      name: 'tidemark_sharing_partitions_assigned',
      help: 'Partitions that this process projects at present.',
      registers,
    });
    this.#failures = new Counter({
      name: 'tidemark_sharing_failures_total',
      help: 'Attempts to learn or renew which partitions are of this process that failed.',
      registers,
    });
  }

  assigned(change: AssignmentChanged): void {
    this.#assigned.set(change.all.length);
    this.telemetry.log.info(change, 'partitions were assigned');
  }

  failed(error: unknown): void {
    this.#failures.inc();
    if (this.#interrupted) return;
    this.#interrupted = true;
    this.telemetry.log.warn({ err: error }, 'the sharing of partitions is interrupted');
  }

  succeeded(): void {
    if (!this.#interrupted) return;
    this.#interrupted = false;
    this.telemetry.log.info('the sharing of partitions goes on');
  }
}
