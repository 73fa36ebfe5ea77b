// Mails on their way, behind the request that caused them: how long a mail server takes, or that there is nobody to
// write to, shows in no answer. Tried a few times; what is lost with the process is asked for again by who waits.
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../../../../telemetry/telemetry.js';
import { backoffMs } from '../../../../waiting/backoff.js';
import { within } from '../../../../waiting/within.js';
import type { Mail, Mailer } from './mailer.js';

const TRIES_MAX = 4;
const UNDER_WAY_MAX = 500;
const DRAIN_TIMEOUT_MS = 5_000;

export class OutgoingMails implements BeforeApplicationShutdown {
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    private readonly mailer: Mailer,
    private readonly telemetry: Telemetry,
  ) {}

  /** Returns at once. Undefined: there is nobody to write to. */
  post(mail: Promise<Mail | undefined>): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.telemetry.log.warn('a mail was not sent: too many are under way');
      mail.catch(() => undefined);
      return;
    }
    const sending = this.#send(mail).finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await within(DRAIN_TIMEOUT_MS, Promise.all(this.#underWay));
    this.mailer.close();
  }

  async #send(written: Promise<Mail | undefined>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const mail = await written;
        if (mail) await this.mailer.send(mail);
        return;
      } catch (error) {
        // What a mail server says may name the address.
        const { code, name } = error as NodeJS.ErrnoException;
        if (tries === TRIES_MAX)
          return this.telemetry.log.warn({ reason: code ?? name }, 'a mail was not sent');
        await sleep(backoffMs(tries));
      }
    }
  }
}
