// A command as somebody outside has it carried out: what is there before, the request in the middle of which the
// product dies, and what must hold once the same was asked again. Each has things of its own, so that all can be
// prepared in one life of the product and asked again in another.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperatedProduct } from '../../e2e/operated-product.js';
import { PASSWORD } from '../../e2e/outside-tester.js';

export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what is looked into
  readonly body: any;
}

export interface Killed {
  /** Name of the command's class. */
  readonly command: string;
  /** How often it appends, at most: it dies after each. */
  readonly appends: number;
  /** What must be there before; it goes by `mark`. */
  prepare(ask: Asking, mark: string): Promise<Prepared>;
}

export interface Prepared {
  /** How many appends come before that of the command: those of signing in. */
  readonly before?: number;
  /** Dies in the middle. */
  send(): Promise<unknown>;
  /** Asks again, and throws unless the outcome is as if it had been asked once. */
  holds(): Promise<void>;
}

interface Sent {
  readonly key?: string;
  readonly body?: object;
  readonly once?: string;
}

/** By the operator's key, unless another is given; no key: ''. */
export class Asking {
  constructor(
    private readonly product: OperatedProduct,
    private readonly operatorKey: string,
  ) {}

  async ask(request: string, { key = this.operatorKey, body, once }: Sent = {}): Promise<Answer> {
    const [method, path] = request.split(' ') as [string, string];
    const response = await fetch(this.product.url + path, {
      method,
      headers: {
        ...(key !== '' && { authorization: `Bearer ${key}` }),
        ...(body && { 'content-type': 'application/json' }),
        ...(once !== undefined && { 'idempotency-key': once }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** @throws Error for any answer but a good one */
  async done(request: string, sent: Sent = {}): Promise<Answer['body']> {
    const { status, body } = await this.ask(request, sent);
    if (status >= 300) throw new Error(`${request}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  async register(email: string): Promise<void> {
    await this.done('POST /v1/auth/register', { key: '', body: { email, password: PASSWORD } });
  }

  login(email: string, more: object = {}): Promise<Answer> {
    return this.ask('POST /v1/auth/login', { key: '', body: { email, password: PASSWORD, ...more } });
  }

  async signIn(email: string, more: object = {}): Promise<{ access_token: string; refresh_token: string }> {
    const { status, body } = await this.login(email, more);
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  }

  async mailTo(email: string): Promise<string> {
    for (;;) {
      const mail = this.product.lines
        .filter((line) => line.includes(email))
        .map((line) => JSON.parse(line) as { to?: string; text?: string })
        .findLast(({ to, text }) => to === email && text !== undefined);
      if (mail) return mail.text!;
      await sleep(50);
    }
  }
}

export function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`);
}
