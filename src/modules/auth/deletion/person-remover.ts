// Finishes what erasing somebody's account left undone, because a process died in the middle, or because something
// about them was on its way meanwhile. Every node may do it at once: forgetting twice is forgetting.
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import { ChangeMerchant } from '../merchants/change-merchant.command.js';
import type { PersonalData, Remains } from '../people/personal-data.js';
import type { DeletionTelemetry } from './deletion.telemetry.js';
import { Rounds } from './rounds.js';
import { ERASER } from './row-eraser.js';

/** Long after anything that was on its way has arrived. */
const LOOKED_AT_FOR_MS = 86_400_000;

export interface PersonRemoverParts {
  readonly data: PersonalData;
  readonly commands: CommandBus;
  readonly telemetry: DeletionTelemetry;
}

export class PersonRemover implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new Rounds((signal) => this.#round(signal));
  /** At the start everybody's are looked for: a backup may have brought some back. */
  #hasLookedAtAll = false;

  constructor(private readonly parts: PersonRemoverParts) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#rounds.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { data, telemetry } = this.parts;
    try {
      const since = this.#hasLookedAtAll ? new Date(Date.now() - LOOKED_AT_FOR_MS) : null;
      for (const remains of await data.remaining(since)) {
        if (signal.aborted) return;
        await this.#finish(remains);
      }
      this.#hasLookedAtAll = true;
    } catch (error) {
      telemetry.failed('people', error);
    }
  }

  async #finish({ person, merchants }: Remains): Promise<void> {
    await this.parts.data.forget(person);
    for (const merchant of merchants) {
      const wish = { wish: 'remove', person } as const;
      const request = { merchant, wish, actor: 'operator', expected: 'any', origin: ERASER } as const;
      await this.parts.commands.execute(new ChangeMerchant(request));
    }
  }
}
