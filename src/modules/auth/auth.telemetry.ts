// What key checks and directories measure: requests refused by reason, and how old the directories'
// knowledge may be.
import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Telemetry } from '../../telemetry/telemetry.js';
import { DirectoryFollower } from './directories/directory-follower.js';

export type Refusal =
  | 'no-key'
  | 'key-in-url'
  | 'unknown-key'
  | 'unknown-link'
  | 'scope-missing'
  | 'directories-stale'
  | 'too-many-requests'
  | 'credentials'
  | 'too-many-guesses';

@Injectable()
export class AuthTelemetry {
  readonly #refusals: Counter<'reason'>;

  constructor(
    private readonly telemetry: Telemetry,
    directories: DirectoryFollower,
  ) {
    const { registry } = telemetry;
    this.#refusals = new Counter({
      name: 'tidemark_auth_refusals_total',
      help: 'Requests refused by the key check, by reason.',
      labelNames: ['reason'],
      registers: [registry],
    });
    new Gauge({
      name: 'tidemark_auth_directory_age_seconds',
      help: 'How long the directories of sites and keys may have missed events.',
      registers: [registry],
      collect() {
        this.set(directories.ageMs / 1000);
      },
    });
  }

  refused(reason: Refusal): void {
    this.#refusals.inc({ reason });
  }

  answerUnkept(err: unknown): void {
    this.telemetry.log.warn({ err }, 'the answer to a repeatable request was not kept');
  }

  requestsUnreaped(err: unknown): void {
    this.telemetry.log.warn({ err }, 'old repeatable requests cannot be removed at the moment');
  }

  usageUnwritten(err: unknown): void {
    this.telemetry.log.warn({ err }, 'how many events sites have sent cannot be exchanged at the moment');
  }

  usesUnwritten(err: unknown): void {
    this.telemetry.log.warn({ err }, 'when keys were last used cannot be written at the moment');
  }
}
