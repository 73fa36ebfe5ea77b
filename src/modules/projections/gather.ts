// Cuts the log's batches into runs: what is folded and committed together. By time, with a bound on
// their weight, so that runs grow with the load; an empty run says that the end of the log was reached.
import { within } from '../../waiting/within.js';
import type { BudgetShare } from './event-budget.js';

export interface GatherOptions {
  /** Asked while a run grows: it may shrink when sessions turn out long. */
  readonly weightMax: () => number;
  /** Longest wait for more batches after the first of a run. */
  readonly intervalMs: number;
  /** How often an idle log yields an empty run. */
  readonly idleMs: number;
  /** Ends a run early, though never before its first batch. */
  readonly budget: BudgetShare;
}

export async function* gather<Batch extends { readonly weight: number }>(
  batches: AsyncIterable<Batch>,
  options: GatherOptions,
): AsyncGenerator<readonly Batch[]> {
  const iterator = batches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const run: Batch[] = [];
      let weight = 0;
      let deadline = Date.now() + options.idleMs;
      while (weight < options.weightMax() && (run.length === 0 || options.budget.hasRoom())) {
        const result = await within(Math.max(0, deadline - Date.now()), next);
        if (result === undefined) break;
        if (result.done) {
          if (run.length > 0) yield run;
          return;
        }
        if (run.length === 0) deadline = Date.now() + options.intervalMs;
        run.push(result.value);
        weight += result.value.weight;
        options.budget.take(result.value.weight);
        next = iterator.next();
      }
      yield run;
    }
  } finally {
    // The pending read ends by the reader's signal; its end is of no interest here.
    next.catch(() => {});
    void iterator.return?.();
  }
}
