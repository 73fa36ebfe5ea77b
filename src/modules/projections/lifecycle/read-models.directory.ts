// The versions of the read models and their rebuilds in memory, current by following the event store;
// nothing else changes it. Every role that serves or feeds a version has one.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EventStore, type RecordedEvent, type Subscription } from '../../../event-store/event-store.js';
import { within } from '../../../waiting/within.js';
import { bySystem } from '../../auth/origin.js';
import { DEFINITIONS, fingerprintOf } from '../catalog/catalog.js';
import {
  evolveReadModels,
  NO_READ_MODELS,
  READ_MODELS_STREAM,
  type ReadModels,
  servingFor,
} from './read-models.aggregate.js';

const BOOT_TIMEOUT_MS = 60_000;
const FIRST_VERSION = 1;

export class ReadModelsNotKnownError extends Error {
  override readonly name = 'ReadModelsNotKnownError';
}

@Injectable()
export class ReadModelsDirectory implements OnModuleInit {
  readonly #listeners = new Set<() => void>();
  #state: ReadModels = NO_READ_MODELS;
  /** Of the stream, as far as it is known. */
  #revision = -1;
  #subscription: Subscription | undefined;

  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  /** Founds the installation where it is new: its first version is of the newest definition. */
  async onModuleInit(): Promise<void> {
    const { number: definition } = DEFINITIONS.at(-1)!;
    const data = { version: FIRST_VERSION, definition, fingerprint: fingerprintOf(definition) };
    const event = { type: 'ReadModelsFounded', data, metadata: bySystem('first boot') };
    await this.eventStore.append(READ_MODELS_STREAM, [event], 'none');
    // Its own stream up to here, and only then what comes to all: millions of events are about something else.
    const end = await this.eventStore.end();
    for await (const event of this.eventStore.readStream(READ_MODELS_STREAM)) this.#apply(event);
    this.#subscription = await this.eventStore.subscribeAll(end, (event) => {
      if (event.stream === READ_MODELS_STREAM) this.#apply(event);
    });
    if (await this.settle(BOOT_TIMEOUT_MS)) return;
    throw new ReadModelsNotKnownError(
      `The event store was not read to its end within ${BOOT_TIMEOUT_MS / 1000} seconds.`,
    );
  }

  get state(): ReadModels {
    return this.#state;
  }

  /** @throws ReadModelsNotKnownError before the boot is over */
  get serving(): number {
    return known(this.#state.serving[0]);
  }

  /** @throws ReadModelsNotKnownError before the boot is over */
  servingFor(site: string): number {
    return known(servingFor(this.#state, site));
  }

  /** Calls back after every change until it is told to stop by what it returns. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #apply(event: RecordedEvent): void {
    // Known already, if it came between the end and the reading of the stream.
    if (event.revision <= this.#revision) return;
    this.#state = evolveReadModels(this.#state, event);
    this.#revision = event.revision;
    for (const listener of this.#listeners) listener();
  }

  /** Waits until everything stored by now is known here; false when that takes too long. */
  async settle(timeoutMs: number): Promise<boolean> {
    const known = this.#subscription?.caughtUp().then(() => true);
    return (known && (await within(timeoutMs, known))) ?? false;
  }
}

function known(version: number | undefined): number {
  if (version === undefined) throw new ReadModelsNotKnownError('No version of the read models serves yet.');
  return version;
}
