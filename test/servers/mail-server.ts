// A mail server that keeps what it gets, for whoever sends mail: real SMTP on a port of this machine.
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

const WAIT_MS = 20_000;

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

export interface MailServer {
  /** For SMTP_URL. */
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
  /** The last of those that came to the address, once one with the subject is there. */
  mailTo(address: string, subject: RegExp): Promise<ReceivedMail>;
  /** What stands behind the # of the link in such a mail. */
  tokenTo(address: string, subject: RegExp): Promise<string>;
  stop(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = envelope.rcptTo.map(({ address }) => address);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        mails.push({ from, to, ...read(Buffer.concat(chunks).toString()) });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const mailTo = async (address: string, subject: RegExp) => {
    for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += 20) {
      const found = mails.findLast((mail) => mail.to.includes(address) && subject.test(mail.subject));
      if (found) return found;
      await sleep(20);
    }
    throw new Error(`No mail to ${address} with ${subject}; there are: ${JSON.stringify(mails)}`);
  };
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    mailTo,
    tokenTo: async (address, subject) => tokenIn((await mailTo(address, subject)).text),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export const tokenIn = (text: string): string => /\/account#[a-z]+=(\S+)/.exec(text)![1]!;

function read(raw: string): Pick<ReceivedMail, 'subject' | 'text'> {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const text = body.join('\n\n');
  const isQuoted = /^content-transfer-encoding: quoted-printable/im.test(head);
  return {
    subject: /^subject: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
    text: isQuoted ? unquoted(text) : text,
  };
}

const unquoted = (text: string): string =>
  text
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
