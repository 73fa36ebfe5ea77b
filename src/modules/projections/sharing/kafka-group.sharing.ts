// Sharing by a consumer group of the log's own topic: Kafka's coordinator notices who comes, dies and
// hangs. Only the group's assignments are used. The member never fetches, because everything is paused
// before it could, and it never commits; the positions are in our checkpoints.
//
// A member that fails or hears nothing is dropped for a new one: kafkajs may keep using a connection
// that no longer answers. One that is still on its way in cannot be stopped there, only once it is in;
// until then it is left alone, or it would stay for good, with partitions that nobody works on.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import { within } from '../../../waiting/within.js';
import { Assignments } from './assignments.js';
import { MEMBERSHIP_MS, type PartitionHolder, PartitionSharing, TENURE_MS } from './partition-sharing.js';
import type { SharingTelemetry } from './sharing.telemetry.js';
import { Tenure } from './tenure.js';

const HEARTBEAT_INTERVAL_MS = 1_000;
/** With nothing to fetch, this is how long the member sleeps between two looks at the time. */
const PAUSED_MS = 500;
const REJOIN_DELAY_MS = 1_000;
/** A rebalance waits for slow members as long as a membership lasts. */
const JOIN_TIMEOUT_MS = MEMBERSHIP_MS + 5_000;
/** The next heartbeat says whether the coordinator still knows us. */
const RECHECK_TIMEOUT_MS = 3_000;
const LEAVE_TIMEOUT_MS = 2_000;

export interface GroupOptions {
  /** A late answer to a heartbeat must not prolong what is over: see MEMBERSHIP_MS and TENURE_MS. */
  readonly client: (overrides: { readonly requestTimeout: number }) => Kafka;
  readonly topic: string;
  readonly telemetry: SharingTelemetry;
}

export class KafkaGroupSharing extends PartitionSharing {
  readonly #kafka: Kafka;
  readonly #leaving = new AbortController();
  readonly #tenure = new Tenure(TENURE_MS, () => {
    void this.#assignments?.become([]);
    this.#startOver(new Error('The coordinator of the consumer group is silent'));
  });
  #assignments: Assignments | undefined;
  #member: Consumer | undefined;
  readonly #inGroup = new WeakSet<Consumer>();
  #heard: (() => void)[] = [];

  constructor(private readonly options: GroupOptions) {
    super();
    this.#kafka = options.client({ requestTimeout: MEMBERSHIP_MS - TENURE_MS });
  }

  /** Does not wait for Kafka: finding the group takes a second, and the rest of the process does not need it. */
  join(holder: PartitionHolder): Promise<void> {
    this.#assignments = new Assignments(holder, this.options.telemetry);
    void this.#becomeMember();
    return Promise.resolve();
  }

  async recheck(): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#heard.push(resolve));
    await within(RECHECK_TIMEOUT_MS, heard);
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    this.#tenure.end();
    await this.#assignments?.become([]);
    const gone = this.#member?.disconnect().catch((error) => this.options.telemetry.failed(error));
    if (gone !== undefined) await within(LEAVE_TIMEOUT_MS, gone);
  }

  async #becomeMember(): Promise<void> {
    const { topic } = this.options;
    const late = sleep(JOIN_TIMEOUT_MS, undefined, { ref: false }).then(() => {
      throw new Error('Joining the consumer group takes too long');
    });
    const member = this.#kafka.consumer({
      groupId: `${topic}.projectors`,
      sessionTimeout: MEMBERSHIP_MS,
      rebalanceTimeout: MEMBERSHIP_MS,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      maxWaitTimeInMs: PAUSED_MS,
      retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
    });
    this.#member = member;
    this.#listenTo(member);
    try {
      await Promise.race([enter(member, topic), late]);
    } catch (error) {
      if (this.#member === member) this.#startOver(error);
    }
  }

  #listenTo(member: Consumer): void {
    const { topic, telemetry } = this.options;
    member.on(member.events.GROUP_JOIN, ({ payload }) => {
      member.pause([{ topic }]);
      this.#inGroup.add(member);
      if (this.#member !== member || this.#leaving.signal.aborted) {
        // kafkajs can stop it as soon as it has dealt with this event.
        setImmediate(() => void member.disconnect().catch(() => undefined));
        return;
      }
      telemetry.succeeded();
      this.#renew();
      void this.#assignments!.become(payload.memberAssignment[topic] ?? []);
    });
    member.on(member.events.HEARTBEAT, () => {
      if (this.#member === member) this.#renew();
    });
    member.on(member.events.CRASH, ({ payload }) => {
      if (this.#member === member) this.#startOver(payload.error);
    });
  }

  #renew(): void {
    if (this.#leaving.signal.aborted) return;
    this.#tenure.renew(performance.now());
    for (const resolve of this.#heard.splice(0)) resolve();
  }

  /** What is held stays held until the tenure is over: the coordinator may not have noticed anything. */
  #startOver(reason: unknown): void {
    const failed = this.#member;
    if (failed === undefined) return;
    this.#member = undefined;
    this.options.telemetry.failed(reason);
    if (this.#inGroup.has(failed)) void failed.disconnect().catch(() => undefined);
    void this.#rejoin();
  }

  async #rejoin(): Promise<void> {
    const { signal } = this.#leaving;
    await sleep(REJOIN_DELAY_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await this.#becomeMember();
  }
}

async function enter(member: Consumer, topic: string): Promise<void> {
  await member.connect();
  await member.subscribe({ topic });
  await member.run({ autoCommit: false, eachBatch: async () => {} });
}
