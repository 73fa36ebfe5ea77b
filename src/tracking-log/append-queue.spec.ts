import { setTimeout as delay } from 'node:timers/promises';
import { AppendQueue } from './append-queue.js';
import { BATCH_BYTES_MAX, type CommitOutcome, UNAVAILABLE } from './tracking-log.js';

const appended = (position: string): CommitOutcome => ({ outcome: 'appended', position });
const nextOf = (queue: AppendQueue<{ name: string; bytes: number }>) => queue.next().map(({ name }) => name);

it('gives the oldest, as many as fit one batch, until they are settled', async () => {
  const queue = new AppendQueue<{ name: string; bytes: number }>(60_000);
  const half = BATCH_BYTES_MAX / 2;
  const outcomes = ['a', 'b', 'c'].map((name) => queue.add({ name, bytes: half }));
  expect(nextOf(queue)).toEqual(['a', 'b']);
  expect(nextOf(queue)).toEqual(['a', 'b']);
  queue.next()[0]!.settle(appended('1'));
  expect(nextOf(queue)).toEqual(['b', 'c']);
  for (const [index, append] of queue.next().entries()) append.settle(appended(`${index + 2}`));
  expect(nextOf(queue)).toEqual([]);
  expect(await Promise.all(outcomes)).toEqual([appended('1'), appended('2'), appended('3')]);
});

it('gives one that fills a batch alone', () => {
  const queue = new AppendQueue<{ name: string; bytes: number }>(5);
  void queue.add({ name: 'large', bytes: BATCH_BYTES_MAX });
  void queue.add({ name: 'small', bytes: 1 });
  expect(nextOf(queue)).toEqual(['large']);
});

it('refuses what is not settled in time and does not give it again; a later outcome counts no more', async () => {
  const queue = new AppendQueue<{ name: string; bytes: number }>(10);
  const outcome = queue.add({ name: 'late', bytes: 1 });
  const [append] = queue.next();
  await delay(30);
  expect(nextOf(queue)).toEqual([]);
  append!.settle(appended('1'));
  expect(await outcome).toEqual(UNAVAILABLE);
});
