import { Telemetry } from '../../../../telemetry/telemetry.js';
import { type Mail, Mailer } from './mailer.js';
import { OutgoingMails } from './outgoing-mails.js';

const mail: Mail = { to: 'kim@shop.example', subject: 's', text: 't' };

class FailingMailer extends Mailer {
  readonly sent: Mail[] = [];
  isClosed = false;
  constructor(private failuresLeft: number) {
    super();
  }
  async send(one: Mail): Promise<void> {
    if (this.failuresLeft-- > 0)
      throw Object.assign(new Error('kim@shop.example?'), { code: 'ECONNREFUSED' });
    this.sent.push(one);
  }
  override close(): void {
    this.isClosed = true;
  }
}

async function sendWith(mailer: FailingMailer, written: Promise<Mail | undefined>): Promise<string> {
  const lines: string[] = [];
  const telemetry = new Telemetry('info', { write: (line) => void lines.push(line) });
  const outgoing = new OutgoingMails(mailer, telemetry);
  outgoing.post(written);
  await outgoing.beforeApplicationShutdown();
  expect(mailer.isClosed).toBe(true);
  return lines.join('');
}

it('sends what the process was asked for before it stops, also at a later try', async () => {
  const mailer = new FailingMailer(2);
  expect(await sendWith(mailer, Promise.resolve(mail))).toBe('');
  expect(mailer.sent).toEqual([mail]);
});

it('gives up in the end, and says so without naming anybody', async () => {
  const mailer = new FailingMailer(100);
  const logged = await sendWith(mailer, Promise.resolve(mail));
  expect(mailer.sent).toEqual([]);
  expect(logged).toContain('ECONNREFUSED');
  expect(logged).not.toContain('kim');
});

it('sends nothing where there is nobody to write to', async () => {
  const mailer = new FailingMailer(0);
  await sendWith(mailer, Promise.resolve(undefined));
  expect(mailer.sent).toEqual([]);
});
