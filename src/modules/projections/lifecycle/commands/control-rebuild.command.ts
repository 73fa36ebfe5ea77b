// Pauses, resumes or cancels a rebuild. The projectors hear of it from the event store.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Lifecycle, type LifecycleOutcome } from '../lifecycle.js';
import { controlRebuild, type RebuildControl } from '../read-models.aggregate.js';
import type { Origin } from '../../../auth/origin.js';

export class ControlRebuild extends Command<LifecycleOutcome> {
  constructor(
    readonly rebuild: string,
    readonly control: Extract<RebuildControl, 'pause' | 'resume' | 'cancel'>,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(ControlRebuild)
export class ControlRebuildHandler implements ICommandHandler<ControlRebuild> {
  constructor(private readonly lifecycle: Lifecycle) {}

  execute({ rebuild: id, control, origin }: ControlRebuild): Promise<LifecycleOutcome> {
    return this.lifecycle.change((state) => {
      const rebuild = state.rebuilds.get(id);
      return rebuild === undefined
        ? { refused: `There is no rebuild ${id}.` }
        : controlRebuild(state, rebuild, control);
    }, origin);
  }
}
