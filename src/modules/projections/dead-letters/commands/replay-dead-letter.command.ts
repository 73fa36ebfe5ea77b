// Asks for a dead letter's events to be appended to the log again, where the projector meets them as new.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { UnknownEventSchemaError } from '../../../../events/upcasters.js';
import { DeadLetterTable, type LetterContent } from '../dead-letter-table.js';
import { Decisions } from '../decisions.js';
import { eventsOfLetter } from '../letter-events.js';
import type { Origin } from '../../../auth/origin.js';

export type ReplayDeadLetterOutcome =
  | { readonly outcome: 'requested'; readonly isDone: boolean }
  | { readonly outcome: 'letter-unknown' }
  /** It would be passed over again. */
  | { readonly outcome: 'schema-unknown'; readonly schema: number };

export class ReplayDeadLetter extends Command<ReplayDeadLetterOutcome> {
  constructor(
    readonly letter: string,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(ReplayDeadLetter)
export class ReplayDeadLetterHandler implements ICommandHandler<ReplayDeadLetter> {
  constructor(
    private readonly table: DeadLetterTable,
    private readonly decisions: Decisions,
  ) {}

  async execute({ letter, origin }: ReplayDeadLetter): Promise<ReplayDeadLetterOutcome> {
    const found = await this.table.find(letter);
    if (found === undefined) return { outcome: 'letter-unknown' };
    const data = { letter, failedAt: found.failedAt };
    const content = await this.table.content(data);
    if (content === undefined) return { outcome: 'letter-unknown' };
    const schema = unknownSchemaOf(content);
    if (schema !== undefined) return { outcome: 'schema-unknown', schema };
    const isDone = await this.decisions.record({ type: 'DeadLetterReplayRequested', data }, origin);
    return { outcome: 'requested', isDone };
  }
}

function unknownSchemaOf(content: LetterContent): number | undefined {
  try {
    eventsOfLetter(content);
    return undefined;
  } catch (error) {
    if (error instanceof UnknownEventSchemaError) return error.schema;
    throw error;
  }
}
