// What intake is measured against: Fastify that parses the same body and answers the same text,
// and does nothing else.
import { fastify } from 'fastify';

const server = fastify();
const ANSWER = '{"accepted":1,"duplicates":0,"rejected":[]}';
server.post('/v1/events', (_request, reply) => {
  void reply.status(202).header('content-type', 'application/json; charset=utf-8').send(ANSWER);
});
const url = await server.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${JSON.stringify({ url, key: 'x'.repeat(40) })}\n`);
process.once('SIGTERM', () => void server.close().then(() => process.exit(0)));
