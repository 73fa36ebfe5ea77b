// The product under load, killed with -9 again and again: at every named place and at random. At the
// end every acknowledged event is counted once, every refused one never, and one whose answer was
// lost at most once, however often its client sent it again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAILPOINTS } from '../../src/config/failpoints.js';
import { Ledger } from '../ledger.js';
import { freePort } from '../servers/free-port.js';
import { random } from '../traffic.js';
import { Child } from './child.js';

const OPERATOR_KEY = 'operator-key-of-the-crash-test-0123456789';
const SITES = ['one.example', 'two.example', 'three.example'];
const RANDOM_KILLS = Number(process.env['CRASH_TEST_KILLS'] ?? 8);
const CLIENTS = 6;
const SEED = Number(process.env['CRASH_TEST_SEED'] ?? Date.now() % 1_000_000);

describe(`kill -9 (CRASH_TEST_SEED=${SEED})`, () => {
  const next = random(SEED);
  let ledger: Ledger;
  let directory: string;
  let port: number;
  let child: Child;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-kill-nine-'));
    port = await freePort();
    ledger = new Ledger({
      url: `http://127.0.0.1:${port}`,
      operatorKey: OPERATOR_KEY,
      sites: SITES,
      next,
    });
  });

  afterAll(async () => {
    await child?.kill('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });

  async function start(failpoint?: string): Promise<void> {
    child = await Child.start('src/main.js', {
      environment: {
        DATA_DIR: directory,
        PORT: String(port),
        OPERATOR_KEY,
        LOG_LEVEL: 'warn',
        PROJECTOR_FLUSH_INTERVAL_MS: '50',
        // Small, so that sessions are forgotten and read back all the time.
        PROJECTOR_EVENTS_IN_MEMORY_MAX: '1000',
        ...(failpoint ? { FAILPOINT: failpoint } : {}),
      },
    });
    for (;;) {
      const ended = await Promise.race([child.ended, sleep(50)]);
      if (ended) {
        if (failpoint) return;
        throw new Error(`The process ended at boot:\n${child.stderr}`);
      }
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
      if (ready?.ok) return;
    }
  }

  /** Sends until the process is gone; what got no answer is sent again by a later life. */
  async function client(gone: () => boolean): Promise<void> {
    while (!gone()) {
      const failure = await ledger.send();
      if (failure !== undefined) await sleep(5);
    }
  }

  /** Whether the process killed itself first. */
  async function loadUntilKilled(killAfterMs: number): Promise<boolean> {
    let isGone = false;
    const gone = child.ended.then(() => (isGone = true));
    const clients = Array.from({ length: CLIENTS }, () => client(() => isGone));
    const byItself = (await Promise.race([gone, sleep(killAfterMs)])) === true;
    await child.kill('SIGKILL');
    await Promise.all(clients);
    return byItself;
  }

  it('loses no acknowledged event and counts none twice', async () => {
    await start();
    await ledger.createSites();
    await loadUntilKilled(500);
    // Those that its clients come by; the others have tests of their own.
    for (const name of FAILPOINTS.filter((name) => /^(intake|projector)\./.test(name))) {
      await start(`${name}:${Math.floor(next() * 12)}`);
      expect(await loadUntilKilled(120_000)).toBe(true);
    }
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      await start();
      await loadUntilKilled(Math.floor(next() * 1_500));
    }

    await start();
    expect(ledger.acknowledged.length).toBeGreaterThan(500);
    expect(await ledger.differences(60_000)).toEqual({ lost: [], countedTwice: [], neverSent: [] });
  }, 900_000);
});
