// The promises of the test brokers: that they are real, survive their own death with what they
// acknowledged, replicate when there are three, and leave nothing behind.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { describeWith } from './describe-with.js';
import { startFaultProxy } from './fault-proxy.js';
import { freePort } from './free-port.js';
import { startKafka, type TestKafka } from './kafka.js';

jest.setTimeout(300_000);

const newTopic = (): string => `rig-${randomBytes(6).toString('hex')}`;

function clientOf({ brokers }: TestKafka, requestTimeoutMs = 10_000): Kafka {
  return new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    requestTimeout: requestTimeoutMs,
    retry: { initialRetryTime: 100, retries: 12 },
  });
}

async function createTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

async function connectedProducer(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer();
  await producer.connect();
  return producer;
}

const send = (producer: Producer, topic: string, value: string) =>
  producer.send({ topic, acks: -1, messages: [{ value }] });

/** The first `count` values of the topic. */
async function valuesOf(kafka: Kafka, topic: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: newTopic() });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value!.toString());
        if (values.length >= count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return values;
}

describeWith('own-kafka', 'a Kafka of one’s own', () => {
  let kafka: TestKafka;
  afterEach(() => kafka.stop());

  it('has what it acknowledged after kill -9 and a start, and is gone after the end', async () => {
    kafka = await startKafka({ own: true });
    const [node] = kafka.nodes;
    const client = clientOf(kafka);
    const topic = newTopic();
    await createTopic(client, topic);
    const producer = await connectedProducer(client);
    await send(producer, topic, 'before');

    const firstPid = node!.pid;
    await node!.kill();
    expect(() => process.kill(firstPid, 0)).toThrow('ESRCH');
    await node!.start();
    await send(producer, topic, 'after');
    expect(await valuesOf(client, topic, 2)).toEqual(['before', 'after']);
    await producer.disconnect();
  });

  it('hangs while it is paused, and goes on afterwards', async () => {
    kafka = await startKafka({ own: true });
    const client = clientOf(kafka, 1_000);
    const topic = newTopic();
    await createTopic(client, topic);
    const producer = await connectedProducer(client);
    kafka.nodes[0]!.pause();
    let sent = false;
    const sending = send(producer, topic, 'patient').then(() => (sent = true));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(sent).toBe(false);
    kafka.nodes[0]!.resume();
    await sending;
    await producer.disconnect();
  });

  it('tells clients the address of the proxy that stands before it', async () => {
    const port = await freePort();
    const proxy = await startFaultProxy(port);
    kafka = await startKafka({ own: true, ports: [port], advertisedPorts: [proxy.port] });
    expect(kafka.brokers).toEqual([`127.0.0.1:${proxy.port}`]);
    const client = clientOf(kafka, 1_000);
    const topic = newTopic();
    await createTopic(client, topic);
    const producer = await connectedProducer(client);
    await send(producer, topic, 'through');
    proxy.mode = 'blackhole';
    await expect(
      producer.send({ topic, acks: -1, timeout: 500, messages: [{ value: 'nowhere' }] }),
    ).rejects.toThrow();
    proxy.mode = 'pass';
    await send(producer, topic, 'through again');
    await producer.disconnect();
    await proxy.close();
  });
});

describeWith('own-kafka', 'three brokers', () => {
  let kafka: TestKafka;
  beforeAll(async () => (kafka = await startKafka({ brokers: 3 })));
  afterAll(() => kafka.stop());

  it('acknowledge with one of them dead, refuse with two, and have everything when they are back', async () => {
    const client = clientOf(kafka);
    const topic = newTopic();
    await createTopic(client, topic);
    const producer = await connectedProducer(client);
    await send(producer, topic, 'three');
    await kafka.nodes[0]!.kill();
    await send(producer, topic, 'two');
    kafka.nodes[1]!.pause();
    const once = clientOf(kafka, 2_000).producer({ retry: { retries: 1 } });
    await expect(once.connect().then(() => send(once, topic, 'one'))).rejects.toThrow();
    await once.disconnect();
    kafka.nodes[1]!.resume();
    await kafka.nodes[0]!.start();
    await send(producer, topic, 'again');
    const values = await valuesOf(client, topic, 3);
    expect(values.filter((value) => value !== 'one')).toEqual(expect.arrayContaining(['three', 'two']));
    await producer.disconnect();
  });
});

describeWith('kafka', 'the shared Kafka', () => {
  it('is one for all who ask', async () => {
    const [one, other] = await Promise.all([startKafka(), startKafka()]);
    expect(one.brokers).toEqual(other.brokers);
    await one.stop();
    await createTopic(clientOf(other), newTopic());
  });
});
