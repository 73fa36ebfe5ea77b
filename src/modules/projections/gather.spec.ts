import { setTimeout as sleep } from 'node:timers/promises';
import { EventBudget } from './event-budget.js';
import { gather } from './gather.js';

interface Batch {
  readonly position: string;
  readonly weight: number;
}

const batch = (position: number, weight: number): Batch => ({ position: String(position), weight });

async function* arriving(...steps: readonly (Batch | number)[]): AsyncGenerator<Batch> {
  for (const step of steps) {
    if (typeof step === 'number') await sleep(step);
    else yield step;
  }
}

async function runsOf(batches: AsyncIterable<Batch>, budgetEvents = 1_000): Promise<string[][]> {
  const runs: string[][] = [];
  const budget = new EventBudget(budgetEvents).share();
  for await (const run of gather(batches, { weightMax: () => 100, intervalMs: 50, idleMs: 200, budget })) {
    runs.push(run.map(({ position }) => position));
  }
  return runs;
}

describe('gather', () => {
  it('makes one run of what is there', async () => {
    expect(await runsOf(arriving(batch(1, 1), batch(2, 1), batch(3, 1)))).toEqual([['1', '2', '3']]);
  });

  it('ends a run when it is heavy enough', async () => {
    expect(await runsOf(arriving(batch(1, 60), batch(2, 60), batch(3, 60)))).toEqual([['1', '2'], ['3']]);
  });

  it('ends a run when the process has gathered enough, but never without a batch', async () => {
    expect(await runsOf(arriving(batch(1, 10), batch(2, 10), batch(3, 10), batch(4, 10)), 20)).toEqual([
      ['1', '2'],
      ['3'],
      ['4'],
    ]);
  });

  it('ends a run some time after its first batch, however little came', async () => {
    expect(await runsOf(arriving(batch(1, 1), 120, batch(2, 1)))).toEqual([['1'], ['2']]);
  });

  it('says by an empty run that nothing came', async () => {
    expect(await runsOf(arriving(batch(1, 1), 300, batch(2, 1)))).toEqual([['1'], [], ['2']]);
  });

  it('ends quietly with its reader, and passes its failure on', async () => {
    async function* failing(): AsyncGenerator<Batch> {
      yield batch(1, 1);
      throw new Error('disk gone');
    }
    await expect(runsOf(failing())).rejects.toThrow('disk gone');
  });
});
