// What cached answers are measured against: Fastify that takes the same request, gets an answer of the
// same bytes from Redis and sends it, and does nothing else. Reads where Redis is and the keys to ask for
// in turn from its first line of input.
import { createInterface } from 'node:readline';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';

const { value: line } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const { redisUrl, keys } = JSON.parse(line as string) as { redisUrl: string; keys: readonly string[] };

const redis = new Redis(redisUrl);
const server = fastify();
let next = 0;
server.post('/v1/sites/:site/query', async (_request, reply) => {
  const bytes = await redis.getBuffer(keys[next++ % keys.length]!);
  if (bytes === null) throw new Error('Redis has lost what was put there');
  return reply.header('content-type', 'application/json; charset=utf-8').send(bytes);
});
const url = await server.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify({ port: Number(new URL(url).port) })}\n`);
process.once('SIGTERM', () => {
  redis.disconnect();
  void server.close().then(() => process.exit(0));
});
