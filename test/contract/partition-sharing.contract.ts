// What every way of sharing the partitions promises, tried with several members in one process. Whom
// they lose without a word (a death, a hang) is tried with processes: test/crash/.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MEMBERSHIP_MS,
  type PartitionHolder,
  type PartitionSharing,
} from '../../src/modules/projections/sharing/partition-sharing.js';
import type { Partition } from '../../src/tracking-log/tracking-log.js';

export const PARTITIONS = 4;
/** Shares are what they should be by then, when nobody died. */
const SETTLED_MS = 60_000;

/** Remembers what it was told; ends its work when the test lets it. */
export class Holder implements PartitionHolder {
  readonly assigned = new Set<Partition>();
  /** While it is set, revoked work goes on. */
  busy: Promise<void> | undefined;

  assign(partition: Partition): void {
    if (this.assigned.has(partition)) throw new Error(`Partition ${partition} was assigned twice`);
    this.assigned.add(partition);
  }

  async revoke(partition: Partition): Promise<void> {
    await this.busy;
    if (!this.assigned.delete(partition)) throw new Error(`Partition ${partition} was not assigned`);
  }
}

export async function within(ms: number, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${String(holds)} did not hold within ${ms} ms`);
    await sleep(10);
  }
}

/** Every partition is somebody's, nobody's twice, and shares differ by one at most. */
export function isFair(holders: readonly Holder[]): boolean {
  const all = holders.flatMap(({ assigned }) => [...assigned]);
  const shares = holders.map(({ assigned }) => assigned.size);
  const whole = all.length === PARTITIONS && new Set(all).size === PARTITIONS;
  return whole && Math.max(...shares) - Math.min(...shares) <= 1;
}

export interface SharingSetup {
  /** A member of one and the same installation, not joined yet. */
  member(): PartitionSharing;
  stop(): Promise<void>;
}

export function partitionSharingContract(setUp: () => Promise<SharingSetup>): void {
  let setup: SharingSetup;
  const joined = new Map<Holder, PartitionSharing>();

  beforeEach(async () => {
    setup = await setUp();
  }, 240_000);
  afterEach(async () => {
    await Promise.all([...joined.values()].map((member) => member.leave()));
    joined.clear();
    await setup.stop();
  });

  async function join(): Promise<Holder> {
    const holder = new Holder();
    const member = setup.member();
    joined.set(holder, member);
    await member.join(holder);
    return holder;
  }

  async function leave(holder: Holder): Promise<void> {
    await joined.get(holder)!.leave();
    joined.delete(holder);
  }

  it('gives everything to who is alone', async () => {
    const alone = await join();
    await within(SETTLED_MS, () => isFair([alone]));
  });

  it('divides fairly among those who come, and again among those who stay', async () => {
    const one = await join();
    await within(SETTLED_MS, () => isFair([one]));
    const two = await join();
    await within(SETTLED_MS, () => isFair([one, two]));
    const three = await join();
    await within(SETTLED_MS, () => isFair([one, two, three]));
    await leave(two);
    expect(two.assigned.size).toBe(0);
    await within(SETTLED_MS, () => isFair([one, three]));
  });

  it('divides fairly among many who come at the same time, and leaves one too many without', async () => {
    const holders = await Promise.all(Array.from({ length: PARTITIONS + 1 }, join));
    await within(SETTLED_MS, () => isFair(holders));
    expect(holders.filter(({ assigned }) => assigned.size === 0)).toHaveLength(1);
  });

  it('hands over at once what a member leaves, not after its membership would have been over', async () => {
    const [staying, leaving] = [await join(), await join()];
    await within(SETTLED_MS, () => isFair([staying, leaving]));
    await leave(leaving);
    await within(MEMBERSHIP_MS - 2_000, () => isFair([staying]));
  });

  it('says nothing new when asked again and nothing changed', async () => {
    const [one, two] = [await join(), await join()];
    await within(SETTLED_MS, () => isFair([one, two]));
    const before = [...one.assigned];
    await joined.get(one)!.recheck();
    expect([...one.assigned]).toEqual(before);
  });
}
