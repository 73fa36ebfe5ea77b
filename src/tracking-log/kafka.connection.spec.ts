import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { pino } from 'pino';
import { ConfigError, readConfig } from '../config/config.js';
import { kafkaClient } from './kafka.connection.js';
import { KafkaLink, LinkClosedError, LinkTimeoutError } from './kafka.link.js';

const silent = pino({ level: 'silent' });
const settings = (environment: Record<string, string>) =>
  readConfig({ KAFKA_BROKERS: 'localhost:9092', ...environment });

it('asks for what a SASL mechanism needs', () => {
  const mechanism = { KAFKA_SASL_MECHANISM: 'scram-sha-256' };
  expect(() => kafkaClient(settings(mechanism), silent)).toThrow(ConfigError);
  expect(() => kafkaClient(settings({ ...mechanism, KAFKA_SASL_USERNAME: 'me' }), silent)).toThrow(
    /KAFKA_SASL_PASSWORD: must be given/,
  );
});

it('asks for brokers', () => {
  expect(() => kafkaClient(readConfig({ TRACKING_LOG: 'kafka' }), silent)).toThrow(/KAFKA_BROKERS/);
});

it.each(['localhost', 'localhost:x', 'a:1,,b:2', 'http://a:1'])('refuses the broker list "%s"', (brokers) => {
  expect(() => readConfig({ KAFKA_BROKERS: brokers })).toThrow(/is not host:port/);
});

it('says what kafkajs calls an error as a warning, once', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => lines.push(line) });
  for (let client = 0; client < 2; client++) {
    const admin = kafkaClient(settings({ KAFKA_BROKERS: '127.0.0.1:1' }), log).admin();
    await expect(admin.connect()).rejects.toThrow(/ECONNREFUSED/);
  }
  const said = lines.map((line) => JSON.parse(line) as { level: number; msg: string });
  expect(said.filter(({ msg }) => msg.startsWith('kafkajs: Connection error'))).toHaveLength(1);
  expect(Math.max(...said.map(({ level }) => level))).toBe(pino.levels.values['warn']);
});

describe('a link to a broker that takes connections and never answers', () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  let port: number;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const openLink = (timeoutMs: number) =>
    new KafkaLink({
      client: (socketFactory) =>
        kafkaClient(settings({ KAFKA_BROKERS: `127.0.0.1:${port}` }), silent, { socketFactory }),
      topic: 'any',
      timeoutMs,
    });

  it('gives every question its time and no more', async () => {
    const link = openLink(200);
    const startedAt = performance.now();
    const answers = await Promise.allSettled([link.leaders([0]), link.offset(0, 'end')]);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'rejected', reason: expect.any(LinkTimeoutError) as unknown });
    }
    link.close();
  });

  it('gives up at once when it is closed, and takes its connections with it', async () => {
    const link = openLink(20_000);
    const asked = link.leaders([0]);
    const [socket] = (await once(server, 'connection')) as [Socket];
    link.close();
    await expect(asked).rejects.toThrow(LinkClosedError);
    socket.resume();
    await once(socket, 'close');
    await expect(link.leaders([0])).rejects.toThrow(LinkClosedError);
  });

  it('lets what is under way finish when it is retired, and takes nothing new', async () => {
    const link = openLink(300);
    const asked = link.leaders([0]);
    link.retire();
    await expect(link.leaders([0])).rejects.toThrow(LinkClosedError);
    await expect(asked).rejects.toThrow(LinkTimeoutError);
  });
});
