// Asks for a dead letter to be deleted: what it holds will not be counted. The log keeps its events.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DeadLetterTable } from '../dead-letter-table.js';
import { Decisions } from '../decisions.js';
import type { Origin } from '../../../auth/origin.js';

export type DeleteDeadLetterOutcome =
  { readonly outcome: 'requested'; readonly isDone: boolean } | { readonly outcome: 'letter-unknown' };

export class DeleteDeadLetter extends Command<DeleteDeadLetterOutcome> {
  constructor(
    readonly letter: string,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(DeleteDeadLetter)
export class DeleteDeadLetterHandler implements ICommandHandler<DeleteDeadLetter> {
  constructor(
    private readonly table: DeadLetterTable,
    private readonly decisions: Decisions,
  ) {}

  async execute({ letter, origin }: DeleteDeadLetter): Promise<DeleteDeadLetterOutcome> {
    const found = await this.table.find(letter);
    if (found === undefined) return { outcome: 'letter-unknown' };
    const data = { letter, failedAt: found.failedAt };
    const isDone = await this.decisions.record({ type: 'DeadLetterDeletionRequested', data }, origin);
    return { outcome: 'requested', isDone };
  }
}
