// Questions from a process of its own: connections that each send the next of the given requests as soon
// as the last is answered. Answers are not looked into beyond status and length. Reads commands from its
// parent, answers how many were answered and how long each took.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { AnswerReader, statusOf } from './wire-answer.js';

export interface QueryLoadCommand {
  readonly port: number;
  /** Whole, as they go over the wire; taken in order, over and over. */
  readonly requests: readonly string[];
  /** Index of the one to begin with. */
  readonly first?: number;
  readonly status: number;
  readonly connections: number;
  readonly seconds: number;
  /** Given: the same number of questions, whatever time it takes up to `seconds`. */
  readonly requestsMax?: number;
}

export interface QueryLoadResult {
  readonly answered: number;
  /** Those included that were answered only after the time. */
  readonly sent: number;
  readonly seconds: number;
  /** Sorted, of every hundredth of the answers: p0, p1 … p100. */
  readonly latenciesMs: readonly number[];
  /** Of this process: near 1, it was the limit and the figure is void. */
  readonly loadCores: number;
}

async function load(command: QueryLoadCommand): Promise<QueryLoadResult> {
  const { connections, port, seconds: limit, status, first = 0 } = command;
  const { requestsMax = Number.POSITIVE_INFINITY } = command;
  const requests = command.requests.map((text) => Buffer.from(text));
  const latenciesMs: number[] = [];
  let sent = 0;
  let ending = false;
  let endedAt = 0;
  const drive = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0;
      const reader = new AnswerReader();
      const send = () => {
        if (ending || sent >= requestsMax) return void socket.end();
        sentAt = performance.now();
        socket.write(requests[(first + sent++) % requests.length]!);
      };
      const receive = (chunk: Buffer) => {
        const answer = reader.take(chunk);
        if (answer === undefined) return;
        if (statusOf(answer) !== status) throw new Error(`The server answered: ${answer.slice(0, 1_000)}`);
        const now = performance.now();
        if (!ending) {
          latenciesMs.push(now - sentAt);
          endedAt = now;
        }
        send();
      };
      socket.setNoDelay(true);
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        try {
          receive(chunk);
        } catch (error) {
          reject(error);
        }
      });
    });
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  const done = Promise.all(sockets.map(drive));
  await Promise.race([new Promise((resolve) => setTimeout(resolve, limit * 1_000)), done]);
  ending = true;
  const seconds = (endedAt - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await done;
  latenciesMs.sort((a, b) => a - b);
  return {
    answered: latenciesMs.length,
    sent,
    seconds,
    latenciesMs: Array.from(
      { length: 101 },
      (_, percent) => latenciesMs[Math.ceil(((latenciesMs.length - 1) * percent) / 100)] ?? 0,
    ),
    loadCores: (user + system) / 1e6 / seconds,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(line) as QueryLoadCommand))}\n`);
}
