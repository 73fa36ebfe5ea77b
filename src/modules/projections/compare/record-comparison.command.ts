// Notes that two versions were compared, and with what outcome: part of the story of a version.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ReadModelsEvent } from '../../../events/read-models.events.js';
import { Lifecycle, type LifecycleOutcome } from '../lifecycle/lifecycle.js';
import type { Origin } from '../../auth/origin.js';

export type ComparisonRecord = Extract<ReadModelsEvent, { type: 'VersionsCompared' }>['data'];

export class RecordComparison extends Command<LifecycleOutcome> {
  constructor(
    readonly comparison: ComparisonRecord,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(RecordComparison)
export class RecordComparisonHandler implements ICommandHandler<RecordComparison> {
  constructor(private readonly lifecycle: Lifecycle) {}

  execute({ comparison: data, origin }: RecordComparison): Promise<LifecycleOutcome> {
    return this.lifecycle.change(() => ({ event: { type: 'VersionsCompared', data } }), origin);
  }
}
