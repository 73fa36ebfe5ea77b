// What cached answers are measured against: Fastify that takes the same request, gets an answer of the
// same bytes from Redis and sends it, and does nothing else. And what nothing can be faster than: servers that send
// these bytes and our headers without asking anybody. Reads where Redis is, the keys to ask for in turn, and what
// the answer is from its first line of input.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';

const { value: line } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { redisUrl, keys, text, headers } = JSON.parse(line as string) as {
  readonly redisUrl: string;
  readonly keys: readonly string[];
  readonly text: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
};

const redis = new Redis(redisUrl);
const server = fastify();
let next = 0;
server.post('/v1/sites/:site/query', async (_request, reply) => {
  const bytes = await redis.getBuffer(keys[next++ % keys.length]!);
  if (bytes === null) throw new Error('Redis has lost what was put there');
  return reply.header('content-type', 'application/json; charset=utf-8').send(bytes);
});
const named = Object.fromEntries(
  headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]!]] : [])),
);
server.post('/constant/v1/sites/:site/query', async (_request, reply) => reply.headers(named).send(text));
const url = await server.listen({ port: 0, host: '127.0.0.1' });

const plain = createServer((request, response) => {
  const length = Number(request.headers['content-length']);
  process.nextTick(() => {
    if (request.read(length) === null) throw new Error('The body came later than its head');
    response.writeHead(200, headers as string[]).end(text);
  });
});
await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
const plainPort = (plain.address() as AddressInfo).port;
process.stdout.write(`${JSON.stringify({ port: Number(new URL(url).port), plainPort })}\n`);
process.once('SIGTERM', () => {
  redis.disconnect();
  plain.close();
  plain.closeAllConnections();
  void server.close().then(() => process.exit(0));
});
