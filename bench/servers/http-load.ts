// Load from a process of its own: connections that each send the next request as soon as the last
// is answered. Requests are made in advance and answers hardly looked at, so that it costs far less
// than a server. Reads commands from its parent, answers how many requests were acknowledged.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface LoadCommand {
  readonly port: number;
  readonly key: string;
  readonly eventsPerRequest: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Of this process: near 1, it was the limit and the figure is void. */
  readonly loadCores: number;
}

const DIFFERENT_REQUESTS = 2_000;
const ACKNOWLEDGED = 'HTTP/1.1 202';

function eventOf(n: number): object {
  return {
    name: 'pageview',
    url: `https://shop.example/products/${n % 977}/item-${n}?utm_source=newsletter&utm_campaign=autumn`,
    referrer: `https://www.search.example/results?q=${n}`,
    title: `Item ${n}: a fine thing for the home`,
    screen: '1920x1080',
    language: 'en-GB',
    props: { logged_in: n % 2 === 0, plan: 'basic' },
  };
}

function requestsOf({ key, eventsPerRequest }: LoadCommand): readonly Buffer[] {
  return Array.from({ length: DIFFERENT_REQUESTS }, (_, index) => {
    const events = Array.from({ length: eventsPerRequest }, (_, n) => eventOf(index * eventsPerRequest + n));
    const body = JSON.stringify(eventsPerRequest === 1 ? events[0] : events);
    const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (index % 40)}.0.0.0 Safari/537.36`;
    return Buffer.from(
      `POST /v1/events HTTP/1.1\r\nHost: tidemark.example\r\nAuthorization: Bearer ${key}\r\n` +
        `User-Agent: ${agent}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  });
}

async function load(command: LoadCommand): Promise<LoadResult> {
  const requests = requestsOf(command);
  let next = 0;
  let acknowledged = 0;
  let ending = false;
  const sockets: Socket[] = [];
  const drive = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      const send = () => socket.write(requests[next++ % DIFFERENT_REQUESTS]!);
      socket.setNoDelay(true);
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (answer: Buffer) => {
        if (answer.toString('latin1', 0, ACKNOWLEDGED.length) !== ACKNOWLEDGED) {
          reject(new Error(`The server answered: ${answer.toString('latin1', 0, 500)}`));
          return;
        }
        if (ending) socket.end();
        else {
          acknowledged++;
          send();
        }
      });
    });
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  for (let n = 0; n < command.connections; n++) sockets.push(connect(command.port, '127.0.0.1'));
  const done = Promise.all(sockets.map(drive));
  await Promise.race([new Promise((resolve) => setTimeout(resolve, command.seconds * 1000)), done]);
  ending = true;
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await done;
  return { acknowledged, seconds, loadCores: (user + system) / 1e6 / seconds };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(line) as LoadCommand))}\n`);
}
