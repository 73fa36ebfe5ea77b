// Mail for installations without a mail server: printed to the process's log, once, for the operator to pass on.
import type { Telemetry } from '../../../../telemetry/telemetry.js';
import { type Mail, Mailer } from './mailer.js';

export class LogMailer extends Mailer {
  constructor(private readonly telemetry: Telemetry) {
    super();
  }

  override send({ to, subject, text }: Mail): Promise<void> {
    this.telemetry.log.info({ to, subject, text }, 'a mail, printed because no mail server is set up');
    return Promise.resolve();
  }
}
