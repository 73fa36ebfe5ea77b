// The settings of a broker for tests: quick where tests wait, as in production where they look. One
// broker keeps one copy; three keep three, acknowledge what two have, and never elect one that lacks it.
import { join } from 'node:path';

export interface BrokerPorts {
  readonly client: number;
  /** What clients are told to connect to: `client`, or a proxy before it. */
  readonly advertised: number;
  /** Among brokers. Apart, so that a proxy stands between clients and brokers only. */
  readonly internal: number;
  readonly controller: number;
}

/** A further listener of the broker, for clients with a name and a password, over TLS. */
export interface GuardedListener {
  readonly port: number;
  /** PEM file with the private key and the certificate for 127.0.0.1. */
  readonly keyFile: string;
  readonly username: string;
  readonly password: string;
}

export interface BrokerPlan {
  readonly directory: string;
  /** Of every broker; node ids are their places, from 1. */
  readonly ports: readonly BrokerPorts[];
  readonly index: number;
  readonly guarded?: GuardedListener | undefined;
}

export function brokerProperties({ directory, ports, index, guarded }: BrokerPlan): string {
  const own = ports[index]!;
  const replicas = ports.length;
  const replicasInSyncMin = replicas > 1 ? 2 : 1;
  const further = guarded ? `,GUARDED://127.0.0.1:${guarded.port}` : '';
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': index + 1,
    'controller.quorum.voters': ports
      .map(({ controller }, place) => `${place + 1}@127.0.0.1:${controller}`)
      .join(','),
    listeners: `CLIENT://127.0.0.1:${own.client},INTERNAL://127.0.0.1:${own.internal},CONTROLLER://127.0.0.1:${own.controller}${further}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${own.advertised},INTERNAL://127.0.0.1:${own.internal}${further}`,
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_SSL',
    'log.dirs': join(directory, 'data'),
    'default.replication.factor': replicas,
    'min.insync.replicas': replicasInSyncMin,
    'unclean.leader.election.enable': false,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': replicasInSyncMin,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': replicasInSyncMin,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    // A dead broker is found out sooner than by default, so that tests need not wait.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 4_000,
    'replica.lag.time.max.ms': 5_000,
    // By default a third of the small heap.
    'log.cleaner.dedupe.buffer.size': 4_194_304,
    ...(guarded && guardedProperties(guarded)),
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** For `StorageTool format`: SCRAM's users are in the cluster's metadata. */
export function scramArguments({ username, password }: GuardedListener): string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${username},password=${password}]`,
  ]);
}

function guardedProperties({ keyFile, username, password }: GuardedListener): Record<string, string> {
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.guarded.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${username}="${password}";`,
    'listener.name.guarded.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.guarded.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.guarded.ssl.keystore.type': 'PEM',
    'listener.name.guarded.ssl.keystore.location': keyFile,
  };
}
