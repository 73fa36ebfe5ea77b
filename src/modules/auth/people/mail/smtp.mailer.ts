// Mail through a server that speaks SMTP. Every wait is bounded; connections are kept for the next mail.
import { createTransport, type Transporter } from 'nodemailer';
import { type Mail, Mailer } from './mailer.js';

const TIMEOUT_MS = 10_000;

export interface SmtpOptions {
  readonly url: string;
  readonly from: string;
}

export class SmtpMailer extends Mailer {
  readonly #transport: Transporter;

  constructor({ url, from }: SmtpOptions) {
    super();
    this.#transport = createTransport(
      {
        url,
        pool: true,
        maxConnections: 2,
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        // Nothing of a mail comes from a file or another host.
        disableFileAccess: true,
        disableUrlAccess: true,
      },
      { from },
    );
  }

  override async send({ to, subject, text }: Mail): Promise<void> {
    await this.#transport.sendMail({ to: { name: '', address: to }, subject, text });
  }

  override close(): void {
    this.#transport.close();
  }
}
