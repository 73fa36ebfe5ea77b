// Asks for another version of the read models to be built from the log. Of any number at once, one is.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { RebuildScope, RebuildSource } from '../../../../events/read-models.events.js';
import type { IdSource } from '../../../auth/random-ids.js';
import { DEFINITIONS, fingerprintOf } from '../../catalog/catalog.js';
import { Lifecycle, type LifecycleOutcome } from '../lifecycle.js';
import { requestRebuild } from '../read-models.aggregate.js';
import type { Origin } from '../../../auth/origin.js';

export interface RebuildWish {
  readonly projection: string;
  readonly version: number | undefined;
  readonly scope: RebuildScope;
  readonly source: RebuildSource;
}

export type RequestRebuildOutcome = LifecycleOutcome & { readonly rebuild: string };

export class RequestRebuild extends Command<RequestRebuildOutcome> {
  constructor(
    readonly wish: RebuildWish,
    readonly origin: Origin,
    readonly ids: IdSource,
  ) {
    super();
  }
}

@CommandHandler(RequestRebuild)
export class RequestRebuildHandler implements ICommandHandler<RequestRebuild> {
  constructor(private readonly lifecycle: Lifecycle) {}

  async execute({ wish, origin, ids }: RequestRebuild): Promise<RequestRebuildOutcome> {
    const rebuild = ids.newId('r');
    const definition = DEFINITIONS.at(-1)!.number;
    const fingerprint = fingerprintOf(definition);
    const outcome = await this.lifecycle.change(
      (state) => requestRebuild(state, { rebuild, definition, fingerprint, ...wish }),
      origin,
    );
    return { ...outcome, rebuild };
  }
}
