// Ingest, projector and api as separate processes, two of each, behind a load balancer: what clients
// were told is what the API reports, whoever of them stops, dies or comes back meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import { Ledger, NOTHING_WRONG } from '../ledger.js';
import { describeWith } from '../servers/describe-with.js';
import { random } from '../traffic.js';
import { OPERATOR_KEY, Topology } from './topology.js';
import { underLoad } from './under-load.js';

const SITES = Array.from({ length: 12 }, (_, index) => `shop-${index}.example`);
const EVENTS_MIN = 2_000;
const SETTLE_MS = 60_000;
/** Kept by a machine that has nothing else to do; a membership that is never over takes for ever. */
const TAKEOVER_MS = 15_000;
const SLACK_MS = 15_000;

jest.setTimeout(600_000);

describeWith(['own-kafka', 'own-redis', 'haproxy'], 'two of each role behind a load balancer', () => {
  let topology: Topology;
  let ledger: Ledger;

  beforeAll(async () => {
    topology = await Topology.start();
    ledger = new Ledger({ url: topology.url, operatorKey: OPERATOR_KEY, sites: SITES, next: random(4) });
    await ledger.createSites();
  });
  afterAll(() => topology?.stop());

  it('reports what was acknowledged, event by event and visitor by visitor', async () => {
    const { failed } = await underLoad(ledger, async () => {
      while (ledger.acknowledged.length < EVENTS_MIN) await sleep(40);
    });
    expect(failed).toEqual([]);
    expect(await ledger.differences(SETTLE_MS)).toEqual(NOTHING_WRONG);
    expect(await ledger.totalsCounted()).toEqual(ledger.totals());
  });

  it('fails no request and loses no event while every process is restarted in turn', async () => {
    const { failed, answered } = await underLoad(ledger, async () => {
      for (const node of topology.nodes) await topology.restart(node);
    });
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(500);
    expect(await ledger.differences(SETTLE_MS)).toEqual(NOTHING_WRONG);
    expect(await ledger.totalsCounted()).toEqual(ledger.totals());
  });

  it.each([0, 1])('has one projector take over soon when the other is killed: %i', async (index) => {
    const victim = topology.of('projector')[index]!;
    const { failed } = await underLoad(ledger, async () => {
      await victim.end('SIGKILL');
      // Sent after the death, to every site and so to every partition, whoever had it.
      await sleep(1_000);
    });
    const startedAt = Date.now();
    expect(failed).toEqual([]);
    while (JSON.stringify(await ledger.totalsCounted()) !== JSON.stringify(ledger.totals())) {
      await sleep(100);
      expect(Date.now() - startedAt).toBeLessThan(TAKEOVER_MS + SLACK_MS);
    }
    await victim.start();
    expect(await ledger.differences(SETTLE_MS)).toEqual(NOTHING_WRONG);
  });
});
