// Lets another version serve, the one before again, or gives one up. One event each: every node that
// answers queries goes over from one version to the other when it hears of it, between two answers.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Lifecycle, type LifecycleOutcome } from '../lifecycle.js';
import { promoteVersion, retireVersion, rollBack } from '../read-models.aggregate.js';
import type { Origin } from '../../../auth/origin.js';

export type VersionChange =
  | { readonly change: 'promote'; readonly version: number; readonly force: boolean }
  | { readonly change: 'roll-back' }
  | { readonly change: 'retire'; readonly version: number };

export class ChangeVersions extends Command<LifecycleOutcome> {
  constructor(
    readonly wish: VersionChange,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(ChangeVersions)
export class ChangeVersionsHandler implements ICommandHandler<ChangeVersions> {
  constructor(private readonly lifecycle: Lifecycle) {}

  execute({ wish, origin }: ChangeVersions): Promise<LifecycleOutcome> {
    return this.lifecycle.change((state) => {
      switch (wish.change) {
        case 'promote':
          return promoteVersion(state, wish);
        case 'roll-back':
          return rollBack(state);
        case 'retire':
          return retireVersion(state, wish.version);
      }
    }, origin);
  }
}
