// Load from a process of its own: connections that each send the next request as soon as the last
// is answered. Requests are made in advance (or, for visits, of which no two are alike, cheaply when they
// are sent) and answers hardly looked at, so that it costs far less than a server. Reads commands from
// its parent, answers how many requests were acknowledged.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface LoadCommand {
  readonly port: number;
  readonly key: string;
  readonly eventsPerRequest: number;
  readonly connections: number;
  readonly seconds: number;
  /** Given: visitors come to these sites, see three pages each, one about a second after the other, and leave. */
  readonly sites?: readonly string[];
  /** Given: no more than so many, evenly. */
  readonly eventsPerSecondMax?: number;
}

export interface LoadResult {
  readonly acknowledged: number;
  readonly seconds: number;
  /** Those included that were answered only after the time. */
  readonly acknowledgedInAll: number;
  /** Of this process: near 1, it was the limit and the figure is void. */
  readonly loadCores: number;
}

const DIFFERENT_REQUESTS = 2_000;
const ACKNOWLEDGED = 'HTTP/1.1 202';
const PAGES_PER_VISIT = 3;
/** Who are there at the same time. */
const VISITORS_AT_ONCE = 10_000;

/** Of all commands, so that no visitor comes back with the next. */
let visitEvents = 0;

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

const agentOf = (n: number): string =>
  `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + (n % 40)}.0.0.0 Safari/537.36`;

function visitEventOf(sites: readonly string[]): object {
  const n = visitEvents++;
  const visitor =
    Math.floor(n / (PAGES_PER_VISIT * VISITORS_AT_ONCE)) * VISITORS_AT_ONCE + (n % VISITORS_AT_ONCE);
  // A few sites have most of the visitors.
  const site = sites[Math.floor(((visitor * 0.618_034) % 1) ** 2 * sites.length)]!;
  return {
    site,
    name: 'pageview',
    visitorId: `visitor-${visitor}`,
    url: `https://${site}/products/${n % 977}`,
    userAgent: agentOf(visitor),
    ...(n % (PAGES_PER_VISIT * VISITORS_AT_ONCE) < VISITORS_AT_ONCE
      ? { referrer: 'https://www.google.com/' }
      : {}),
  };
}

function requestOf(events: readonly object[], { key, agent }: { key: string; agent: string }): Buffer {
  const body = JSON.stringify(events.length === 1 ? events[0] : events);
  return Buffer.from(
    `POST /v1/events HTTP/1.1\r\nHost: tidemark.example\r\nAuthorization: Bearer ${key}\r\n` +
      `User-Agent: ${agent}\r\nOrigin: https://shop.example\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Gives the next request. */
function requestsOf({ key, eventsPerRequest, sites }: LoadCommand): () => Buffer {
  if (sites !== undefined) {
    return () =>
      requestOf(
        Array.from({ length: eventsPerRequest }, () => visitEventOf(sites)),
        { key, agent: agentOf(0) },
      );
  }
  const requests = Array.from({ length: DIFFERENT_REQUESTS }, (_, index) => {
    const events = Array.from({ length: eventsPerRequest }, (_, n) => eventOf(index * eventsPerRequest + n));
    return requestOf(events, { key, agent: agentOf(index) });
  });
  let next = 0;
  return () => requests[next++ % DIFFERENT_REQUESTS]!;
}

async function load(command: LoadCommand): Promise<LoadResult> {
  const nextRequest = requestsOf(command);
  const { eventsPerRequest, eventsPerSecondMax = Number.POSITIVE_INFINITY } = command;
  const requestDistanceMs = (1_000 * eventsPerRequest) / eventsPerSecondMax;
  let sent = 0;
  let acknowledged = 0;
  let acknowledgedInAll = 0;
  let ending = false;
  const sockets: Socket[] = [];
  const drive = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      const write = () => void (ending ? socket.end() : socket.write(nextRequest()));
      const send = () => {
        const restMs = startedAt + sent++ * requestDistanceMs - performance.now();
        if (restMs > 1) setTimeout(write, restMs);
        else write();
      };
      socket.setNoDelay(true);
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (answer: Buffer) => {
        if (answer.toString('latin1', 0, ACKNOWLEDGED.length) !== ACKNOWLEDGED) {
          reject(new Error(`The server answered: ${answer.toString('latin1', 0, 500)}`));
          return;
        }
        acknowledgedInAll++;
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
  return { acknowledged, seconds, acknowledgedInAll, loadCores: (user + system) / 1e6 / seconds };
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await load(JSON.parse(line) as LoadCommand))}\n`);
}
