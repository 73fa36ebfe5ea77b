// What becomes of operators' decisions about dead letters.
import { Injectable } from '@nestjs/common';
import { Counter } from 'prom-client';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { DeadLetterEvent } from '../../../events/dead-letter.events.js';

export type DecisionOutcome = 'replayed' | 'deleted' | 'impossible';

@Injectable()
export class DeadLettersTelemetry {
  readonly #decisions: Counter<'outcome'>;

  constructor(private readonly telemetry: Telemetry) {
    this.#decisions = new Counter({
      name: 'tidemark_dead_letters_decisions_total',
      help: 'Decisions of operators about dead letters that this process carried out, or found impossible.',
      labelNames: ['outcome'],
      registers: [telemetry.registry],
    });
  }

  decided(outcome: DecisionOutcome): void {
    this.#decisions.inc({ outcome });
  }

  heldUp(err: unknown): void {
    this.telemetry.log.warn(
      { err },
      'what was decided about dead letters cannot be carried out, trying again',
    );
  }

  impossible({ type, data: { letter } }: DeadLetterEvent, reason: string): void {
    this.decided('impossible');
    this.telemetry.log.error({ type, letter, reason }, 'a dead letter cannot be replayed and is kept');
  }
}
