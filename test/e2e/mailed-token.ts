// What stands in mails of a product that has nobody to send them: it logs them.
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenIn } from '../servers/mail-server.js';
import type { OperatedProduct } from './operated-product.js';

const POLL_MS = 50;

/** The token of the last mail to the address whose subject begins so. */
export async function mailedTokenOf(
  product: Pick<OperatedProduct, 'lines'>,
  email: string,
  subject: string,
): Promise<string> {
  for (;;) {
    const mail = product.lines
      .map((line) => JSON.parse(line) as { to?: string; subject?: string; text?: string })
      .findLast((line) => line.to === email && line.subject?.startsWith(subject) === true);
    if (mail) return tokenIn(mail.text!);
    await sleep(POLL_MS);
  }
}
