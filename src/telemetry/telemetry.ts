// One logger and one metrics registry per process. Each module declares what it measures in its
// own *.telemetry.ts and improvises nothing elsewhere.
import { Injectable } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

@Injectable()
export class Telemetry {
  readonly registry = new Registry();
  readonly log: Logger;

  constructor(level: string, destination?: DestinationStream) {
    const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
    this.log = destination ? pino(options, destination) : pino(options);
  }

  /** Process metrics (memory, event loop, garbage collection); once per process. */
  collectProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}
