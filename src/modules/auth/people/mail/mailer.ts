// Sends one mail to one address: a port. Settles when the mail is in somebody else's hands.
export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** Plain text. */
  readonly text: string;
}

export abstract class Mailer {
  /** @throws when it could not be handed on. */
  abstract send(mail: Mail): Promise<void>;

  /** Gives up what it keeps open. */
  close(): void {}
}
