// The product as somebody outside meets it: people who register and sign in, each from an address of their own, and
// whatever they send. Of every answer it keeps what is wrong whatever was asked: a failure of ours, a stall, a
// permission for pages of other origins.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatedProduct } from './operated-product.js';

export const PASSWORD = 'correct horse battery staple';
/** What is answered later is taken for stuck, also on a machine that runs other tests. */
const STALL_MS = 5_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly tookMs: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what the tests look into
  readonly body: any;
}

export interface Sent {
  readonly key?: string | undefined;
  readonly body?: unknown;
  /** In place of `body`, as it is. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Client address, as the proxy before the product tells it. */
  readonly from?: string;
}

export interface Signed {
  readonly email: string;
  readonly person: string;
  readonly merchant: string;
  readonly key: string;
  readonly refresh: string;
}

export class OutsideTester {
  /** What no answer may be. */
  readonly faults: string[] = [];
  slowestMs = 0;
  #addresses = 0;

  private constructor(readonly product: OperatedProduct) {}

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<OutsideTester> {
    const settings = { LOG_LEVEL: 'info', PASSWORD_HASH_COST: '12', TRUST_PROXY: 'loopback' };
    return new OutsideTester(await OperatedProduct.start({ ...settings, ...environment }));
  }

  stop(): Promise<void> {
    return this.product.stop();
  }

  /** One that nobody has used. */
  newAddress(): string {
    const n = this.#addresses++;
    return `203.0.${113 + (n >> 8)}.${n & 255}`;
  }

  async call(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const { key, body, raw = body === undefined ? undefined : JSON.stringify(body), headers, from } = sent;
    const startedAt = performance.now();
    const response = await fetch(this.product.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(raw !== undefined && { 'content-type': 'application/json' }),
        'x-forwarded-for': from ?? '198.51.100.1',
        ...headers,
      },
      ...(raw !== undefined && { body: raw }),
    });
    const text = await response.text();
    const tookMs = performance.now() - startedAt;
    this.#judge(`${method} ${path.slice(0, 200)}`, response, tookMs);
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      text,
      tookMs,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    };
  }

  async login(email: string, more: object = {}, from = this.newAddress()): Promise<Answer> {
    return this.call('POST', '/v1/auth/login', { body: { email, password: PASSWORD, ...more }, from });
  }

  /** Registered with a merchant of their own, and signed in. */
  async signUp(email: string): Promise<Signed> {
    const body = { email, password: PASSWORD };
    const from = this.newAddress();
    const registered = await this.call('POST', '/v1/auth/register', { body, from });
    if (registered.status !== 201) throw new Error(`${registered.status} ${registered.text}`);
    return this.signIn(email, {}, from);
  }

  async signIn(email: string, more: object = {}, from = this.newAddress()): Promise<Signed> {
    const { body: tokens, text } = await this.login(email, more, from);
    const key = tokens?.access_token as string | undefined;
    if (key === undefined) throw new Error(text);
    const { body: me } = await this.call('GET', '/v1/me', { key });
    const { id: person } = me.person as { id: string };
    const [{ id: merchant }] = me.merchants as [{ id: string }];
    return { email, person, merchant, key, refresh: tokens.refresh_token as string };
  }

  /** Text of the last mail to the address whose subject begins so. */
  async mailTo(email: string, subject: string): Promise<string> {
    for (;;) {
      const mail = this.product.lines
        .filter((line) => line.includes(email))
        .map((line) => JSON.parse(line) as { to?: string; subject?: string; text?: string })
        .findLast((line) => line.to === email && line.subject?.startsWith(subject));
      if (mail?.text !== undefined) return mail.text;
      await sleep(50);
    }
  }

  /** kB of memory that the process has in RAM. */
  get residentKb(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.product.pid}/status`, 'utf8'))?.[1]);
  }

  /** What the process has logged of it. */
  #lastError(): string {
    return this.product.lines.findLast((line) => line.includes('"err":')) ?? '';
  }

  #judge(name: string, { status, headers }: Response, tookMs: number): void {
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    if (status >= 500) this.faults.push(`${name}: ${status} ${this.#lastError()}`);
    if (tookMs > STALL_MS) this.faults.push(`${name}: ${Math.round(tookMs)} ms`);
    if (headers.has('access-control-allow-origin')) this.faults.push(`${name}: lets other origins read`);
  }
}

/** What differs between any two answers is left out. */
export const withoutRequest = ({ status, text }: Answer): string =>
  `${status} ${text.replaceAll(/"(?:instance|requestId|request_id)":"[^"]*"/g, '')}`;
