// Three brokers that keep three copies, of which the one that leads most of the tracking log is killed
// with -9 and started again, over and over, under load: no request fails, nothing acknowledged is lost
// and nothing is counted twice. Short by default; the environment makes it as long as one likes.
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { readConfig } from '../../src/config/config.js';
import { Ledger, NOTHING_WRONG } from '../ledger.js';
import { describeWith } from '../servers/describe-with.js';
import { random } from '../traffic.js';
import { OPERATOR_KEY, Topology } from './topology.js';
import { underLoad } from './under-load.js';

const KILLS = Number(process.env['TEST_LEADER_KILLS'] ?? 3);
const KILL_INTERVAL_MS = Number(process.env['TEST_LEADER_KILL_INTERVAL_MS'] ?? 8_000);
const SITES = Array.from({ length: 12 }, (_, index) => `shop-${index}.example`);
const SETTLE_MS = 60_000;

jest.setTimeout(300_000 + KILLS * (KILL_INTERVAL_MS + 30_000));

describeWith(['own-kafka', 'own-redis', 'haproxy'], 'a cluster whose leading broker is killed', () => {
  let topology: Topology;
  let ledger: Ledger;

  beforeAll(async () => {
    topology = await Topology.start({ brokers: 3 });
    ledger = new Ledger({ url: topology.url, operatorKey: OPERATOR_KEY, sites: SITES, next: random(9) });
    await ledger.createSites();
  });
  afterAll(() => topology?.stop());

  /** Node ids of the brokers that lead the partitions of the tracking log; -1: none does. */
  async function leaders(): Promise<number[]> {
    const admin = new Kafka({ brokers: topology.kafka.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      const topic = readConfig({}).KAFKA_TOPIC;
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics[0]!.partitions.toSorted((one, other) => one.partitionId - other.partitionId);
      expect(partitions.map(({ replicas }) => replicas.length)).toEqual(partitions.map(() => 3));
      return partitions.map(({ leader }) => leader);
    } finally {
      await admin.disconnect();
    }
  }

  /** Node id of the broker that leads most. */
  function mostLeading(ids: readonly number[]): number {
    const led = (id: number): number => ids.filter((leader) => leader === id).length;
    return [1, 2, 3].toSorted((one, other) => led(other) - led(one))[0]!;
  }

  it('loses nothing that was acknowledged and counts nothing twice', async () => {
    const awayMs: number[] = [];
    const { failed, answered } = await underLoad(ledger, async () => {
      await sleep(2_000);
      for (let kill = 0; kill < KILLS; kill++) {
        const before = await leaders();
        const victim = mostLeading(before);
        const broker = topology.kafka.nodes[victim - 1]!;
        const acknowledgedBefore = ledger.acknowledged.length;
        const killedAt = Date.now();
        await broker.kill();
        await sleep(KILL_INTERVAL_MS / 2);
        await broker.start();
        awayMs.push(Date.now() - killedAt);
        expect(ledger.acknowledged.length).toBeGreaterThan(acknowledgedBefore);
        await sleep(killedAt + KILL_INTERVAL_MS - Date.now());
        expect(await leaders()).not.toEqual(before);
      }
    });
    const settlingSince = Date.now();
    const { lost, ...wrong } = await ledger.differences(SETTLE_MS);
    process.stderr.write(
      `${answered} requests answered, ${ledger.acknowledged.length} events acknowledged, ` +
        `brokers away ${awayMs.join(', ')} ms, ${lost.length} events missing ${Date.now() - settlingSince} ms after\n`,
    );
    expect(failed).toEqual([]);
    expect({ ...wrong, lost }).toEqual(NOTHING_WRONG);
    expect(await ledger.totalsCounted()).toEqual(ledger.totals());
  });
});
