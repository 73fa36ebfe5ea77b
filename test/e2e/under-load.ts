// Clients that send and ask without a pause worth the name while a test does its work on the servers.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../ledger.js';

export interface Load {
  /** Why, of each request that was not answered as it should be. */
  readonly failed: readonly string[];
  readonly answered: number;
}

const SENDERS = 4;
const PAUSE_MS = 40;

/** For as long as `work` takes. */
export async function underLoad(ledger: Ledger, work: () => Promise<void>): Promise<Load> {
  let isOver = false;
  let answered = 0;
  const failed: string[] = [];
  const account = (failure: string | undefined) => {
    if (failure === undefined) answered++;
    else failed.push(failure);
  };
  const keep = async (request: () => Promise<string | undefined>) => {
    while (!isOver) {
      account(await request());
      await sleep(PAUSE_MS);
    }
  };
  const clients = [
    ...Array.from({ length: SENDERS }, () => keep(() => ledger.send())),
    keep(() => ask(ledger)),
  ];
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(clients);
  }
  return { failed, answered };
}

async function ask(ledger: Ledger): Promise<string | undefined> {
  try {
    const query = { metrics: ['events', 'visitors'], date_range: 'day' };
    const answer = await ledger.call(`/v1/sites/${ledger.sites[0]}/query`, query);
    const body = await answer.text();
    return answer.status === 200 ? undefined : `query: ${answer.status} ${body}`;
  } catch (error) {
    return `query: ${String((error as Error).cause ?? error)}`;
  }
}
