// How fresh the read models are: single events of sites of their own, looked for in the rollup that queries read. The
// time counts from an event's acknowledgement until the rollup holds it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

const MARKER_INTERVAL_MS = 100;
const LOOK_INTERVAL_MS = 20;

export interface Markers {
  readonly pool: Pool;
  /** Best one in each partition, so that none is left out. Nobody else may send to them. */
  readonly sites: readonly string[];
  /** Settles once it is acknowledged. */
  send(event: { readonly site: string; readonly name: string; readonly visitorId: string }): Promise<void>;
}

/** So that none is taken for the visitor of an earlier one. */
let sent = 0;

/** Until it is aborted, and all that were sent are found. */
export async function freshnessMs(markers: Markers, signal: AbortSignal): Promise<number[]> {
  const { sites, send } = markers;
  const waiting = new Map(sites.map((site): [string, number[]] => [site, []]));
  const seen = new Map(await counted(markers));
  const tookMs: number[] = [];
  const sending = (async () => {
    while (!signal.aborted) {
      const site = sites[sent % sites.length]!;
      await send({ site, name: 'marker', visitorId: `marker-${sent++}` });
      waiting.get(site)!.push(performance.now());
      await sleep(MARKER_INTERVAL_MS);
    }
  })();
  const someWait = (): boolean => [...waiting.values()].some((times) => times.length > 0);
  while (!signal.aborted || someWait()) {
    await sleep(LOOK_INTERVAL_MS);
    for (const [site, events] of await counted(markers)) {
      const found = waiting.get(site)!.splice(0, events - (seen.get(site) ?? 0));
      for (const acknowledgedAt of found) tookMs.push(performance.now() - acknowledgedAt);
      seen.set(site, events);
    }
  }
  await sending;
  return tookMs;
}

async function counted({ pool, sites }: Markers): Promise<[string, number][]> {
  const { rows } = await pool.query(
    'SELECT site, sum(events)::float8 AS events FROM traffic_v1 WHERE site = ANY($1) GROUP BY site',
    [sites],
  );
  return (rows as { site: string; events: number }[]).map(({ site, events }) => [site, events]);
}
