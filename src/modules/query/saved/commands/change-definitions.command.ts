// Creates, changes or deletes something that a site's people defined. It is decided upon what this node
// knows, once that is all that was stored when it was asked, and stored only if nothing came between;
// of those at once, one after the other on one node, and again from the beginning between nodes.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../../event-store/event-store.js';
import { EventStoreUnavailableError } from '../../../../event-store/event-store-unavailable.error.js';
import type { DefinitionKind } from '../../../../events/definition.events.js';
import { DirectoryFollower } from '../../../auth/directories/directory-follower.js';
import { SiteDirectory } from '../../../auth/directories/site.directory.js';
import type { Definition } from '../definition.js';
import { decide, definitionsStream, type DefinitionWish, type Refusal } from '../definitions.aggregate.js';
import { DefinitionsDirectory } from '../definitions.directory.js';
import type { Origin } from '../../../auth/origin.js';

const ATTEMPTS_MAX = 20;

export type ChangeDefinitionsOutcome =
  | {
      readonly outcome: 'done';
      /** Undefined: deleted. */
      readonly definition: Definition<DefinitionKind> | undefined;
    }
  | { readonly outcome: 'site-unknown' }
  | ({ readonly outcome: 'refused' } & Refusal);

export class ChangeDefinitions extends Command<ChangeDefinitionsOutcome> {
  constructor(
    readonly request: DefinitionWish<DefinitionKind>,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(ChangeDefinitions)
export class ChangeDefinitionsHandler implements ICommandHandler<ChangeDefinitions> {
  /** By site, the end of the last change that was asked for. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly directories: DirectoryFollower,
    private readonly sites: SiteDirectory,
    private readonly definitions: DefinitionsDirectory,
  ) {}

  execute(command: ChangeDefinitions): Promise<ChangeDefinitionsOutcome> {
    const { site } = command.request;
    const change = () => this.#change(command);
    const changed = (this.#last.get(site) ?? Promise.resolve()).then(change, change);
    const leave = () => {
      if (this.#last.get(site) === changed) this.#last.delete(site);
    };
    this.#last.set(site, changed);
    changed.then(leave, leave);
    return changed;
  }

  async #change({ request, origin }: ChangeDefinitions): Promise<ChangeDefinitionsOutcome> {
    const { site, rules, wish } = request;
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      await this.#settle();
      if (this.sites.find(site) === undefined) return { outcome: 'site-unknown' };
      const { definitions, revision } = this.definitions.of(site);
      const decision = decide(definitions, request);
      if ('refused' in decision) return { outcome: 'refused', ...decision };
      if (decision.event !== null) {
        const stream = definitionsStream(site);
        const events = [{ ...decision.event, metadata: origin }];
        const { outcome } = await this.eventStore.append(stream, events, revision);
        if (outcome === 'conflict') continue;
        await this.#settle();
      }
      const definition = this.definitions.of(site).definitions[rules.kind].get(wish.id);
      return { outcome: 'done', definition };
    }
    throw new EventStoreUnavailableError(`${ATTEMPTS_MAX} changes of ${site} came between.`);
  }

  /** @throws EventStoreUnavailableError */
  async #settle(): Promise<void> {
    if (!(await this.directories.settle())) {
      throw new EventStoreUnavailableError('The directories could not be brought up to date.');
    }
  }
}
