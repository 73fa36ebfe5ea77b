// Records what an operator decided about a dead letter, as its command's only write, and looks for a
// moment whether a projector has carried it out (see decision-follower.ts).
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { EventStore } from '../../../event-store/event-store.js';
import type { DeadLetterEvent } from '../../../events/dead-letter.events.js';
import { DeadLetterTable } from './dead-letter-table.js';
import type { Origin } from '../../auth/origin.js';

export const DEAD_LETTER_STREAMS = 'dead-letter-';

const PATIENCE_MS = 2_000;
const FIRST_LOOK_MS = 10;

@Injectable()
export class Decisions {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly table: DeadLetterTable,
  ) {}

  /** Settles once the decision is durable. Whether it is carried out, too: else that is still to come. */
  async record(decision: DeadLetterEvent, origin: Origin): Promise<boolean> {
    const stream = DEAD_LETTER_STREAMS + decision.data.letter;
    await this.eventStore.append(stream, [{ ...decision, metadata: origin }], 'any');
    const deadline = performance.now() + PATIENCE_MS;
    for (let lookMs = FIRST_LOOK_MS; performance.now() < deadline; lookMs *= 2) {
      await sleep(Math.min(lookMs, Math.max(0, deadline - performance.now())));
      if (!(await this.table.has(decision.data))) return true;
    }
    return false;
  }
}
