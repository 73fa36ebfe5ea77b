// One set of connections to the leaders of the topic's partitions, and one answer to each request:
// nothing is tried again here. Every request is bounded in time, whatever kafkajs does: it keeps using
// a connection that no longer answers and keeps its idea of who leads. So whoever meets a failure drops
// the link and opens another, which knows nothing.
//
// kafkajs gives its connections only to consumers, which insist on a group, and to producers, which
// retry in their own way; a partition assigner, however, is handed the cluster underneath.
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type {
  Assigner,
  Broker,
  Cluster,
  CompressionTypes,
  ISocketFactory,
  ISocketFactoryArgs,
  Kafka,
  KafkaMessage,
} from 'kafkajs';
import type { Partition } from './tracking-log.js';

const KEEP_ALIVE_MS = 30_000;
/** All that are in sync, and never fewer than the topic's min.insync.replicas. */
const ACKNOWLEDGED_BY_ALL = -1;

export class LinkTimeoutError extends Error {
  override readonly name = 'LinkTimeoutError';
}

export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError';
}

export interface LinkOptions {
  readonly client: (socketFactory: ISocketFactory) => Kafka;
  readonly topic: string;
  readonly timeoutMs: number;
}

export interface OutgoingRecord {
  readonly value: Buffer;
  /** Epoch ms. */
  readonly timestamp: string;
}

export interface Fetched {
  /** From the wanted offset on, ascending. */
  readonly records: readonly KafkaMessage[];
  /** The first offset that cannot be read yet. */
  readonly end: number;
}

export interface FetchRequest {
  readonly partition: Partition;
  readonly offset: number;
  readonly bytesMax: number;
  /** How long the broker may wait for something to send. */
  readonly waitMs: number;
}

export interface ProduceRequest {
  readonly records: ReadonlyMap<Partition, readonly OutgoingRecord[]>;
  readonly compression: CompressionTypes;
}

export type OffsetOf = 'first' | 'end' | { readonly timestampFrom: number };

interface FetchResponse {
  readonly responses: readonly {
    readonly partitions: readonly { readonly highWatermark: string; readonly messages: KafkaMessage[] }[];
  }[];
}

interface ProduceResponse {
  readonly topics: readonly {
    readonly partitions: readonly { readonly partition: number; readonly baseOffset: string }[];
  }[];
}

export class KafkaLink {
  readonly #cluster: Cluster;
  readonly #connected: Promise<void>;
  readonly #sockets = new Set<Socket>();
  readonly #givingUp = new Set<(reason: Error) => void>();
  #state: 'open' | 'retired' | 'closed' = 'open';

  constructor(private readonly options: LinkOptions) {
    const kafka = options.client((request) => this.#newSocket(request));
    this.#cluster = clusterOf(kafka);
    this.#connected = this.#connect();
    // Whoever asks something awaits it and meets the error.
    this.#connected.catch(() => undefined);
  }

  /** Who leads now, as far as this link knows. */
  leaders(partitions: readonly Partition[]): Promise<readonly (readonly Partition[])[]> {
    return this.#bounded(async () => {
      const led = Object.values(this.#cluster.findLeaderForPartitions(this.options.topic, [...partitions]));
      const found = led.reduce((sum, { length }) => sum + length, 0);
      if (found < partitions.length) throw new Error('Kafka does not know a leader of every partition');
      return led;
    });
  }

  /** To one leader. The offset of each partition's first record. */
  produce({ records, compression }: ProduceRequest): Promise<ReadonlyMap<Partition, number>> {
    const { topic, timeoutMs } = this.options;
    return this.#bounded(async () => {
      const partitions = [...records].map(([partition, list]) => ({
        partition,
        firstSequence: 0,
        messages: [...list],
      }));
      const broker = await this.#leader(partitions[0]!.partition);
      const response = (await broker.produce({
        topicData: [{ topic, partitions }],
        acks: ACKNOWLEDGED_BY_ALL,
        timeout: timeoutMs,
        compression,
      })) as ProduceResponse;
      const offsets = new Map<Partition, number>();
      for (const { partition, baseOffset } of response.topics.flatMap((answer) => answer.partitions)) {
        offsets.set(partition, Number(baseOffset));
      }
      return offsets;
    });
  }

  /** @throws KafkaJSOffsetOutOfRange where the log has neither this offset nor its end there. */
  fetch({ partition, offset, bytesMax, waitMs }: FetchRequest): Promise<Fetched> {
    const partitions = [{ partition, fetchOffset: String(offset), maxBytes: bytesMax }];
    return this.#bounded(async () => {
      const broker = await this.#leader(partition);
      const { responses } = (await broker.fetch({
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes: bytesMax,
        topics: [{ topic: this.options.topic, partitions }],
      })) as FetchResponse;
      const answer = responses[0]!.partitions[0]!;
      // A fetch begins at the batch of records that holds the offset.
      const records = answer.messages.filter((record) => Number(record.offset) >= offset);
      return { records, end: Number(answer.highWatermark) };
    });
  }

  /** Null: no record has such a timestamp. */
  offset(partition: Partition, which: OffsetOf): Promise<number | null> {
    const { topic } = this.options;
    const place =
      typeof which === 'object'
        ? { fromTimestamp: which.timestampFrom }
        : { fromBeginning: which === 'first' };
    return this.#bounded(async () => {
      const [answer] = await this.#cluster.fetchTopicsOffset([
        { topic, partitions: [{ partition }], ...place },
      ]);
      const found = answer?.partitions[0];
      if (!found) throw new Error(`Kafka does not know a leader of partition ${partition}`);
      return Number(found.offset) < 0 ? null : Number(found.offset);
    });
  }

  /** What is under way may finish; then it closes. */
  retire(): void {
    if (this.#state === 'open') this.#state = 'retired';
    this.#closeIfIdle();
  }

  /** What is under way is given up, at once. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const giveUp of this.#givingUp) giveUp(new LinkClosedError('The link to Kafka was closed'));
    for (const socket of this.#sockets) {
      // kafkajs stops its timers only for what it takes to be the other side's end.
      socket.emit('end');
      socket.destroy();
    }
  }

  async #connect(): Promise<void> {
    await this.#cluster.connect();
    await this.#cluster.addTargetTopic(this.options.topic);
  }

  async #leader(partition: Partition): Promise<Broker> {
    const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(this.options.topic, [partition]));
    if (nodeId === undefined) throw new Error(`Kafka does not know a leader of partition ${partition}`);
    return this.#cluster.findBroker({ nodeId });
  }

  async #bounded<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#state !== 'open') throw new LinkClosedError('The link to Kafka is closed');
    const { timeoutMs } = this.options;
    let giveUp: (reason: Error) => void = () => undefined;
    const answer = new Promise<T>((resolve, reject) => {
      giveUp = reject;
      this.#connected.then(ask).then(resolve, reject);
    });
    const timer = setTimeout(
      () => giveUp(new LinkTimeoutError(`Kafka did not answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#givingUp.add(giveUp);
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#givingUp.delete(giveUp);
      this.#closeIfIdle();
    }
  }

  #closeIfIdle(): void {
    if (this.#state === 'retired' && this.#givingUp.size === 0) this.close();
  }

  #newSocket(request: ISocketFactoryArgs): Socket {
    const socket = connectSocket(request);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#state === 'closed') socket.destroy();
    return socket;
  }
}

/** As kafkajs does it, but a request's last packet does not wait for the others' acknowledgement. */
function connectSocket({ host, port, ssl, onConnect }: ISocketFactoryArgs): Socket {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectPlain({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

function clusterOf(kafka: Kafka): Cluster {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster;
        return NO_ASSIGNER;
      },
    ],
  });
  return found!;
}

const NO_ASSIGNER: Assigner = {
  name: 'none',
  version: 0,
  assign: async () => [],
  protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
};
