import { randomBytes } from 'node:crypto';
import kafkajs from 'kafkajs';
import {
  Holder,
  isFair,
  PARTITIONS,
  partitionSharingContract,
  type SharingSetup,
  within,
} from '../../../../test/contract/partition-sharing.contract.js';
import { describeWith } from '../../../../test/servers/describe-with.js';
import { startKafka, type TestKafka } from '../../../../test/servers/kafka.js';
import { readConfig } from '../../../config/config.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { kafkaClient } from '../../../tracking-log/kafka.connection.js';
import { openTrackingLog } from '../../../tracking-log/tracking-log.module.js';
import { KafkaGroupSharing } from './kafka-group.sharing.js';
import { SharingTelemetry } from './sharing.telemetry.js';

interface Group extends SharingSetup {
  readonly topic: string;
  readonly admin: kafkajs.Admin;
}

/** Of a topic of its own. */
async function groupOf(kafka: TestKafka): Promise<Group> {
  const topic = `sharing-${randomBytes(6).toString('hex')}`;
  const config = readConfig({
    KAFKA_BROKERS: kafka.brokers.join(),
    KAFKA_TOPIC: topic,
    TRACKING_LOG_PARTITIONS: String(PARTITIONS),
  });
  const telemetry = new Telemetry('silent');
  // It makes the topic.
  await (await openTrackingLog(config, telemetry)).close();
  const admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  return {
    topic,
    admin,
    member: () =>
      new KafkaGroupSharing({
        client: (overrides) => kafkaClient(config, telemetry.log, overrides),
        topic,
        telemetry: new SharingTelemetry(new Telemetry('silent')),
      }),
    async stop() {
      await admin.disconnect();
      await kafka.stop();
    },
  };
}

describeWith('kafka', 'a consumer group of Kafka', () => {
  describe('of several members', () => {
    partitionSharingContract(async () => groupOf(await startKafka()));
  });

  it('commits no offset: positions are in the checkpoints', async () => {
    const { topic, admin, member, stop } = await groupOf(await startKafka());
    const sharing = member();
    const holder = new Holder();
    await sharing.join(holder);
    await within(60_000, () => isFair([holder]));
    await sharing.leave();
    const committed = await admin.fetchOffsets({ groupId: `${topic}.projectors`, topics: [topic] });
    expect(committed).toEqual([
      {
        topic,
        partitions: Array.from({ length: PARTITIONS }, (_, partition) =>
          expect.objectContaining({ partition, offset: '-1' }),
        ),
      },
    ]);
    await stop();
  });
});

describeWith('own-kafka', 'a consumer group of a Kafka that fails', () => {
  it.each(['is killed and started again', 'hangs and goes on'] as const)(
    'shares again when the broker %s, and in between nobody holds anything for long',
    async (fault) => {
      const kafka = await startKafka({ own: true });
      const [broker] = kafka.nodes;
      const { member, stop } = await groupOf(kafka);
      const members = [member(), member()];
      const holders = [new Holder(), new Holder()];
      await Promise.all(members.map((one, index) => one.join(holders[index]!)));
      await within(60_000, () => isFair(holders));
      if (fault === 'hangs and goes on') broker!.pause();
      else await broker!.kill();
      await within(60_000, () => holders.every(({ assigned }) => assigned.size === 0));
      if (fault === 'hangs and goes on') broker!.resume();
      else await broker!.start();
      await within(60_000, () => isFair(holders));
      await Promise.all(members.map((one) => one.leave()));
      await stop();
    },
    240_000,
  );
});
