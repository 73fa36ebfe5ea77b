// Cuts the log's batches into runs: what is folded and committed together. By time, with a bound on
// events, so that runs grow with the load; an empty run says that the end of the log was reached.
import type { BudgetShare } from './event-budget.js';

export interface GatherOptions {
  /** Asked while a run grows: it may shrink when sessions turn out long. */
  readonly eventsMax: () => number;
  /** Longest wait for more batches after the first of a run. */
  readonly intervalMs: number;
  /** How often an idle log yields an empty run. */
  readonly idleMs: number;
  /** Ends a run early, though never before its first batch. */
  readonly budget: BudgetShare;
}

export async function* gather<Batch extends { readonly events: number }>(
  batches: AsyncIterable<Batch>,
  options: GatherOptions,
): AsyncGenerator<readonly Batch[]> {
  const iterator = batches[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const run: Batch[] = [];
      let events = 0;
      let deadline = Date.now() + options.idleMs;
      while (events < options.eventsMax() && (events === 0 || options.budget.hasRoom())) {
        const result = await before(deadline, next);
        if (result === 'late') break;
        if (result.done) {
          if (run.length > 0) yield run;
          return;
        }
        if (run.length === 0) deadline = Date.now() + options.intervalMs;
        run.push(result.value);
        events += result.value.events;
        options.budget.take(result.value.events);
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

/** The result if it comes before the deadline (epoch ms). A result that is there already costs no timer. */
async function before<T>(deadline: number, result: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), Math.max(0, deadline - Date.now()));
  });
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
