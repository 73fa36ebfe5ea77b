import { setTimeout as sleep } from 'node:timers/promises';
import { BEAT_MS, type ComputeRealtime, type RealtimeReport, RealtimeSnapshots } from './snapshots.js';

const report = (visitors: number): RealtimeReport => ({ visitors, meta: { at: 'now' } }) as RealtimeReport;

/** Computations that end when they are told to. */
function byHand() {
  const begun: { site: string; end(outcome: RealtimeReport | Error): void }[] = [];
  const compute: ComputeRealtime = (site) =>
    new Promise((resolve, reject) => {
      begun.push({
        site,
        end: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      });
    });
  return { begun, snapshots: new RealtimeSnapshots(compute) };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('computes once for all who ask at a time, and for all who ask within the beat', async () => {
  const { begun, snapshots } = byHand();
  const asked = Array.from({ length: 100 }, () => snapshots.of('a'));
  await turn();
  begun[0]!.end(report(1));
  const answers = await Promise.all([...asked, snapshots.of('a')]);
  expect(new Set(answers).size).toBe(1);
  expect(begun).toHaveLength(1);
});

it('computes anew when the beat is over', async () => {
  let made = 0;
  const snapshots = new RealtimeSnapshots(async () => report(++made));
  const { freshUntil } = await snapshots.of('a');
  await sleep(freshUntil - performance.now() + 1);
  expect((await snapshots.of('a')).report.visitors).toBe(2);
  expect(made).toBe(2);
});

it('asks about a site that takes long less often', async () => {
  const snapshots = new RealtimeSnapshots(async () => {
    await sleep(200);
    return report(1);
  });
  const startedAt = performance.now();
  const { freshUntil } = await snapshots.of('a');
  expect(freshUntil - startedAt).toBeGreaterThan(1.9 * BEAT_MS);
});

it('lets no more than two sites be computed at a time, in the order they were asked for', async () => {
  const { begun, snapshots } = byHand();
  const asked = ['a', 'b', 'c', 'd'].map((site) => snapshots.of(site));
  await turn();
  expect(begun.map(({ site }) => site)).toEqual(['a', 'b']);
  begun[1]!.end(new Error('broken'));
  await expect(asked[1]).rejects.toThrow('broken');
  await turn();
  expect(begun.map(({ site }) => site)).toEqual(['a', 'b', 'c']);
  begun[0]!.end(report(1));
  begun[2]!.end(report(1));
  await turn();
  expect(begun.map(({ site }) => site)).toEqual(['a', 'b', 'c', 'd']);
  begun[3]!.end(report(1));
  await snapshots.settled();
  expect(await Promise.all([asked[0], asked[2], asked[3]])).toHaveLength(3);
});

it('tries again after a failure, which all who had asked are told', async () => {
  const { begun, snapshots } = byHand();
  const asked = [snapshots.of('a'), snapshots.of('a')];
  await turn();
  begun[0]!.end(new Error('broken'));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = snapshots.of('a');
  await turn();
  begun[1]!.end(report(5));
  expect((await again).report.visitors).toBe(5);
});

it('has one digest for the same numbers, however fresh', async () => {
  const reports = [report(1), { ...report(1), meta: { at: 'later' } } as RealtimeReport, report(2)];
  const snapshots = new RealtimeSnapshots(async () => reports.shift()!);
  const [first, second, third] = [
    await snapshots.of('a'),
    await snapshots.of('b'),
    await snapshots.of('c'),
  ].map(({ digest }) => digest);
  expect(first).toBe(second);
  expect(third).not.toBe(first);
});
