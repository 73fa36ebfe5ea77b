import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchNamed, nameOfWhole } from '../../../../test/crash/named-batches.js';
import { ObstructedLog } from '../../../../test/obstructed-log.js';
import { openLog } from '../../../../test/projecting.js';
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { appendAgain, BatchRefusedError } from './append-again.js';

describe('appending again', () => {
  let directory: string;
  let log: ObstructedLog;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tidemark-again-'));
    log = new ObstructedLog(openLog(directory, 2));
  });
  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  const large = (events: number): TrackedEvent[] =>
    batchNamed('large', events).map((event) => ({ ...event, title: 'x'.repeat(400_000) }));

  async function logged(partition: number): Promise<readonly TrackedEvent[][]> {
    const batches: TrackedEvent[][] = [];
    for await (const { events } of log.read(partition, null, { follow: false })) batches.push([...events]);
    return batches;
  }

  it('keeps a batch together and in its partition', async () => {
    await appendAgain(log, 1, batchNamed('whole', 30));
    expect((await logged(1)).map((batch) => nameOfWhole(batch))).toEqual(['whole']);
    expect(await logged(0)).toEqual([]);
  });

  it('cuts what the log does not take as one, and leaves nothing out', async () => {
    const events = large(5);
    await appendAgain(log, 0, events);
    const batches = await logged(0);
    expect(batches.length).toBeGreaterThan(2);
    expect(batches.flat()).toEqual(events);
  });

  it('says so when a single event is too large, or the log is away', async () => {
    const [event] = large(1);
    const tooLarge = { ...event!, title: 'x'.repeat(1_100_000) };
    await expect(appendAgain(log, 0, [tooLarge])).rejects.toEqual(new BatchRefusedError('batch-too-large'));
    log.obstruct('refuses');
    await expect(appendAgain(log, 0, [event!])).rejects.toEqual(new BatchRefusedError('log-unavailable'));
    expect(await logged(0)).toEqual([]);
  });
});
