// About kafkajs 2.2.4 and not about our code: why the driver does not use its idempotent producer.
// A proxy delivers a produce request and cuts the connection in place of the answer. kafkajs then
// takes its sequence numbers back although the broker has counted them; the next batch of the same
// length goes out under the same numbers, and the broker takes it for the repetition of the first:
// acknowledged, and never stored. If this spec ever fails, the decision may be looked at again.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import kafkajs, { type Producer } from 'kafkajs';
import { describeWith } from '../../test/servers/describe-with.js';
import { freePort } from '../../test/servers/free-port.js';
import { startKafka, type TestKafka } from '../../test/servers/kafka.js';

const { Kafka, logLevel } = kafkajs;
/** Larger than any other request's: what cuts knows it by its size. */
const VALUE_BYTES = 50_000;

describeWith('own-kafka', 'the idempotent producer of kafkajs', () => {
  let kafka: TestKafka;
  let proxy: AnswerCutter;
  let producer: Producer;
  let topic: string;

  beforeAll(async () => {
    const [port, proxyPort] = [await freePort(), await freePort()];
    proxy = await AnswerCutter.listen(proxyPort, port);
    kafka = await startKafka({ own: true, ports: [port], advertisedPorts: [proxyPort] });
  }, 240_000);
  afterAll(async () => {
    proxy?.close();
    await kafka?.stop();
  });
  afterEach(() => producer.disconnect());

  async function producing(options: { idempotent: boolean; retries: number }): Promise<void> {
    topic = `idempotence-${randomUUID()}`;
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();
    const { idempotent, retries } = options;
    producer = client.producer({
      idempotent,
      maxInFlightRequests: 1,
      retry: { retries, initialRetryTime: 300 },
      createPartitioner: () => () => 0,
    });
    await producer.connect();
    await produce('warm-up');
  }

  const produce = (name: string): Promise<unknown> =>
    producer.send({ topic, messages: [{ value: name.padEnd(VALUE_BYTES, '.') }] });

  async function stored(): Promise<string[]> {
    const names: string[] = [];
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    const [offsets] = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    const consumer = client.consumer({ groupId: randomUUID() });
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve) => {
      void consumer.run({
        eachMessage: async ({ message }) => {
          names.push(message.value!.toString().replaceAll('.', ''));
          if (Number(message.offset) + 1 === Number(offsets!.high)) resolve();
        },
      });
    });
    await consumer.disconnect();
    return names;
  }

  it('acknowledges the next batch and never stores it, where the first one failed for good', async () => {
    await producing({ idempotent: true, retries: 1 });
    proxy.cutAnswers(2);
    await expect(produce('first')).rejects.toThrow();
    await produce('second');
    expect(await stored()).toEqual(['warm-up', 'first']);
  });

  it('does so while it tries again, where two are sent at once: one is stored twice, the other never', async () => {
    await producing({ idempotent: true, retries: 5 });
    proxy.cutAnswers(1);
    await Promise.all([produce('one'), produce('other')]);
    const [warmUp, twice, again] = await stored();
    expect([warmUp, again]).toEqual(['warm-up', twice]);
  });

  it('is not needed: without it the same cut stores one twice and the other once', async () => {
    await producing({ idempotent: false, retries: 5 });
    proxy.cutAnswers(1);
    await Promise.all([produce('one'), produce('other')]);
    const names = await stored();
    expect(new Set(names)).toEqual(new Set(['warm-up', 'one', 'other']));
    expect(names).toHaveLength(4);
  });
});

/** Passes everything on, and cuts instead of the next answers to large requests. */
class AnswerCutter {
  #answersToCut = 0;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (client) => this.#pass(client));
  }

  static async listen(port: number, targetPort: number): Promise<AnswerCutter> {
    const server = createServer();
    const cutter = new AnswerCutter(server, targetPort);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return cutter;
  }

  cutAnswers(count: number): void {
    this.#answersToCut = count;
  }

  close(): void {
    this.server.close();
  }

  #pass(client: Socket): void {
    const upstream = connect(this.targetPort, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    let bytesAsked = 0;
    client.on('data', (data) => {
      bytesAsked += data.length;
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      const isAnswerToLarge = bytesAsked >= VALUE_BYTES;
      bytesAsked = 0;
      if (isAnswerToLarge && this.#answersToCut > 0) {
        this.#answersToCut--;
        end();
        return;
      }
      client.write(data);
    });
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  }
}
