// Requests at their times, whether those before are answered or not (an open loop), from a process of its own: what
// waits for a slow server counts from when it was due. Reads commands from its parent, answers how each was answered
// and how long it took.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { AnswerReader, statusOf } from './wire-answer.js';

export interface OpenLoadCommand {
  readonly port: number;
  /** Whole, as they go over the wire; taken in order, over and over. */
  readonly requests: readonly string[];
  readonly requestsPerSecond: number;
  /** Where more are due at once, they wait for one that is free. */
  readonly connections: number;
  readonly seconds: number;
}

export interface OpenLoadResult {
  /** How many were answered so. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the answers 429. */
  readonly withoutRetryAfter: number;
  /** Those that were due and not even sent when the time was over; they count with how long they had waited. */
  readonly unsent: number;
  /** From when each was due, sorted. */
  readonly latenciesMs: readonly number[];
  /** Of this process: near 1, it was the limit and the figure is void. */
  readonly loadCores: number;
}

interface Connection {
  readonly socket: Socket;
  dueAt: number;
}

const RETRY_AFTER = /\r\nretry-after: \d+/i;

class OpenLoad {
  readonly #requests: readonly Buffer[];
  readonly #startedAt = performance.now();
  readonly #endsAt: number;
  /** The longest unused first, so that none is idle for long. */
  readonly #free: Connection[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #latenciesMs: number[] = [];
  #withoutRetryAfter = 0;
  #sent = 0;

  constructor(private readonly command: OpenLoadCommand) {
    this.#requests = command.requests.map((text) => Buffer.from(text));
    this.#endsAt = this.#startedAt + command.seconds * 1_000;
  }

  async run(): Promise<OpenLoadResult> {
    const { connections, port, seconds } = this.command;
    const cpuBefore = process.cpuUsage();
    const closed = Promise.all(
      Array.from({ length: connections }, () => this.#drive(connect(port, '127.0.0.1'))),
    );
    const ticking = setInterval(() => this.#sendDue(), 1);
    // One that broke off ends it all.
    await Promise.race([new Promise((resolve) => setTimeout(resolve, seconds * 1_000)), closed]);
    clearInterval(ticking);
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const { socket } of this.#free) socket.end();
    const unsent = this.#leaveUnsent();
    await closed;
    return {
      statuses: this.#statuses,
      withoutRetryAfter: this.#withoutRetryAfter,
      unsent,
      latenciesMs: this.#latenciesMs.sort((a, b) => a - b),
      loadCores: (user + system) / 1e6 / seconds,
    };
  }

  #drive(socket: Socket): Promise<void> {
    const connection = { socket, dueAt: 0 };
    const reader = new AnswerReader();
    return new Promise((resolve, reject) => {
      socket.setNoDelay(true);
      socket.on('connect', () => this.#release(connection));
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        try {
          const head = reader.take(chunk);
          if (head !== undefined) this.#answered(connection, head);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #answered(connection: Connection, head: string): void {
    const status = statusOf(head);
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (status === 429 && !RETRY_AFTER.test(head)) this.#withoutRetryAfter++;
    this.#latenciesMs.push(performance.now() - connection.dueAt);
    this.#release(connection);
  }

  #release(connection: Connection): void {
    if (performance.now() >= this.#endsAt) connection.socket.end();
    else {
      this.#free.push(connection);
      this.#sendDue();
    }
  }

  #sendDue(): void {
    const now = performance.now();
    for (;;) {
      const dueAt = this.#nextDueAt();
      if (dueAt > now || dueAt >= this.#endsAt) return;
      const connection = this.#free.shift();
      if (connection === undefined) return;
      connection.dueAt = dueAt;
      connection.socket.write(this.#requests[this.#sent++ % this.#requests.length]!);
    }
  }

  #leaveUnsent(): number {
    const sentBefore = this.#sent;
    for (; this.#nextDueAt() < this.#endsAt; this.#sent++) {
      this.#latenciesMs.push(this.#endsAt - this.#nextDueAt());
    }
    return this.#sent - sentBefore;
  }

  #nextDueAt(): number {
    return this.#startedAt + (this.#sent * 1_000) / this.command.requestsPerSecond;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const result = await new OpenLoad(JSON.parse(line) as OpenLoadCommand).run();
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
