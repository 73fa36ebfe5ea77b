// Forgets repeatable requests and their answers when their day is over. Every api node does; what another
// removes at the same time is left to it.
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { AuthTelemetry } from '../auth.telemetry.js';
import { RepeatableRequests } from './repeatable-requests.js';

const REAP_INTERVAL_MS = 600_000;

@Injectable()
export class RepeatableRequestReaper implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #reaping: Promise<void> = Promise.resolve();

  constructor(
    private readonly requests: RepeatableRequests,
    private readonly telemetry: AuthTelemetry,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#reaping = this.requests.reap().catch((error: unknown) => this.telemetry.requestsUnreaped(error));
    }, REAP_INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reaping;
  }
}
