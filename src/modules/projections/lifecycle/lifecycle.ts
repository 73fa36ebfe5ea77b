// Carries out decisions on the read models: folds the stream, decides, appends what was decided where
// nothing came in between, else decides again. The aggregate does the thinking.
import { Inject, Injectable } from '@nestjs/common';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../../auth/aggregate.js';
import {
  type Decision,
  evolveReadModels,
  NO_READ_MODELS,
  READ_MODELS_STREAM,
  type ReadModels,
} from './read-models.aggregate.js';
import { ReadModelsDirectory } from './read-models.directory.js';
import type { Origin } from '../../auth/origin.js';

const SETTLE_TIMEOUT_MS = 2_000;
const FOLD = { initial: NO_READ_MODELS, evolve: evolveReadModels };

export type LifecycleOutcome =
  | { readonly outcome: 'done'; readonly state: ReadModels }
  | { readonly outcome: 'refused'; readonly reason: string };

@Injectable()
export class Lifecycle {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directory: ReadModelsDirectory,
  ) {}

  /** @param origin whoever asked for it, or which part of the program decided */
  async change(decide: (state: ReadModels) => Decision, origin: Origin): Promise<LifecycleOutcome> {
    for (;;) {
      const { state, revision } = await load(this.eventStore, READ_MODELS_STREAM, FOLD);
      const decision = decide(state);
      if ('refused' in decision) return { outcome: 'refused', reason: decision.refused };
      if (decision.event === null) return { outcome: 'done', state };
      const event = { ...decision.event, metadata: origin };
      const stored = await this.eventStore.append(READ_MODELS_STREAM, [event], revision);
      if (stored.outcome === 'conflict') continue;
      await this.directory.settle(SETTLE_TIMEOUT_MS);
      return { outcome: 'done', state: this.directory.state };
    }
  }
}
