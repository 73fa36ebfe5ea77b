// Watchers without a database: who is let in, who is sent away, and what a reader that does not read costs.
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Problem } from '../../../http/problem.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { Caller } from '../../auth/access.js';
import { RealtimeTelemetry } from './realtime.telemetry.js';
import type { RealtimeSnapshots, Snapshot } from './snapshots.js';
import type { Watcher } from './watcher-rights.js';
import { RealtimeWatchers, type WatchersDeps } from './watchers.js';

const caller = (id: string): Caller => ({ id, merchant: 'm', site: null, scopes: new Set() });
const watcher = (key = 'key', site = 'site'): Watcher => ({ site, caller: caller(key) });

interface Given {
  readonly limits?: WatchersDeps['limits'];
  readonly allow?: () => boolean;
  /** Default: a new number every five milliseconds. */
  readonly of?: (site: string) => Promise<Snapshot>;
}

let made = 0;
const snapshot = (text = ''): Snapshot => {
  made += 1;
  return {
    digest: `${made}`,
    report: { visitors: made, text } as unknown as Snapshot['report'],
    freshUntil: performance.now() + 5,
  };
};

function start({ limits = { streamsMax: 10, streamsPerKeyMax: 10 }, allow = () => true, of }: Given = {}) {
  const telemetry = new Telemetry('silent');
  const snapshots = { of: of ?? (async () => snapshot()) } as unknown as RealtimeSnapshots;
  const deps = { snapshots, limits, rights: { allow }, telemetry: new RealtimeTelemetry(telemetry) };
  const watchers = new RealtimeWatchers(deps);
  const open = async () => {
    const [metric] = await telemetry.registry.getMetricsAsJSON();
    return metric!.values[0]!.value;
  };
  return { watchers, open };
}

const statusOf = async (refused: Promise<unknown>): Promise<number | undefined> => {
  const error: unknown = await refused.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Problem ? error.options.status : undefined;
};

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It never held.');
    await sleep(2);
  }
}

describe('places', () => {
  it('are so many for a key, and come free when a stream ends', async () => {
    const { watchers } = start({ limits: { streamsMax: 10, streamsPerKeyMax: 2 } });
    const first = await watchers.watch(watcher());
    await watchers.watch(watcher());
    expect(await statusOf(watchers.watch(watcher()))).toBe(429);
    await watchers.watch(watcher('another key'));
    first.destroy();
    await until(async () => (await statusOf(watchers.watch(watcher()))) === undefined);
    watchers.close();
  });

  it('are so many on a node', async () => {
    const { watchers } = start({ limits: { streamsMax: 1, streamsPerKeyMax: 10 } });
    await watchers.watch(watcher());
    expect(await statusOf(watchers.watch(watcher('another key')))).toBe(503);
    watchers.close();
  });

  it('are not lost when there are no numbers to begin with', async () => {
    const { watchers } = start({
      limits: { streamsMax: 1, streamsPerKeyMax: 1 },
      of: async () => {
        throw Problem.unavailable('The database is away.', 1);
      },
    });
    for (let n = 0; n < 3; n++) {
      await expect(watchers.watch(watcher())).rejects.toThrow('The database is away.');
    }
  });
});

it('ends the streams of whoever may no longer watch', async () => {
  let allowed = true;
  const { watchers, open } = start({ allow: () => allowed });
  const stream = await watchers.watch(watcher());
  stream.resume();
  allowed = false;
  await until(() => stream.readableEnded);
  await until(async () => (await open()) === 0);
});

it('ends all streams when it is closed, and lets nobody in', async () => {
  const { watchers } = start();
  const stream = await watchers.watch(watcher());
  stream.resume();
  watchers.close();
  await until(() => stream.readableEnded);
  expect(await statusOf(watchers.watch(watcher()))).toBe(503);
});

it('asks for nothing once nobody watches', async () => {
  let asked = 0;
  const { watchers } = start({
    of: async () => {
      asked += 1;
      return snapshot();
    },
  });
  const stream = await watchers.watch(watcher());
  stream.resume();
  await until(() => asked > 3);
  stream.destroy();
  await until(() => stream.closed);
  const before = asked;
  await sleep(50);
  expect(asked - before).toBeLessThanOrEqual(1);
});

it('goes on after failures', async () => {
  let asked = 0;
  const { watchers } = start({
    of: async () => {
      asked += 1;
      if (asked === 3 || asked === 4) throw new Error('broken');
      return snapshot();
    },
  });
  const stream = await watchers.watch(watcher());
  let heard = 0;
  stream.on('data', () => heard++);
  await until(() => asked > 6 && heard > 3);
  watchers.close();
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function buffersInUse(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('a reader that does not read', () => {
  const MESSAGE_BYTES = 200_000;
  const MESSAGES = 500;
  let server: Server;
  let offered = 0;

  it('costs no memory however long it does not, and then gets the latest numbers', async () => {
    const text = 'x'.repeat(MESSAGE_BYTES);
    const { watchers, open } = start({
      of: async () => {
        offered += 1;
        return { ...snapshot(text), freshUntil: 0 };
      },
    });
    server = createServer((_, response) => {
      void watchers
        .watch(watcher())
        .then((stream) => stream.pipe(response).on('close', () => stream.destroy()));
    }).listen(0);
    const { port } = server.address() as AddressInfo;
    const answer = await new Promise<IncomingMessage>((resolve) => get({ port, agent: false }, resolve));
    answer.pause();
    await until(() => offered > 100);
    const before = buffersInUse();
    await until(() => offered > MESSAGES);
    // Kept, they would be 80 MB; some are on their way to a collection.
    expect(buffersInUse() - before).toBeLessThan(40_000_000);
    const offeredByThen = offered;
    let lastId = 0;
    answer.on('data', (chunk: Buffer) => {
      const id = /(?:^|\n)id: (\d+)\n/.exec(chunk.toString('latin1'))?.[1];
      lastId = Number(id ?? lastId);
    });
    answer.resume();
    await until(() => lastId >= offeredByThen);
    answer.destroy();
    await until(async () => (await open()) === 0);
    server.close();
  }, 60_000);
});
