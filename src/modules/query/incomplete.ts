// Times in which a site's merchant was over its quota (auth/quotas/excess.ts), as queries see them. What is hidden of them
// are the visits that began then: they are in the read models as ever, and left out wherever sessions are selected, so
// that whoever shows them again has nothing to rebuild. What was not taken is not there. Every answer says so.
import { SESSION_DURATION_MAX_MS } from '../projections/read-models/sessions.read-model.js';
import type { Excess } from '../auth/quotas/excess.js';
import type { Range } from './request/date-range.js';

export interface IncompleteMeta {
  /** Absent where all that was received in the range is in the numbers. */
  readonly incomplete?: readonly {
    /** ISO 8601. */
    readonly from: string;
    readonly to: string;
    readonly policy: Excess['policy'];
    /** Of the visitors, that were taken. */
    readonly share?: number;
  }[];
}

/** Those that an answer about these ranges lacks something of. */
export function incompleteIn(excesses: readonly Excess[], ranges: readonly Range[]): readonly Excess[] {
  if (excesses.length === 0) return excesses;
  return excesses.filter((excess) => ranges.some((range) => touches(excess, range)));
}

/** Which visits are left out. */
export const hiddenOf = (incomplete: readonly Excess[] = []): readonly Range[] =>
  incomplete.filter(({ policy }) => policy === 'hide');

/** Whether visits of the range may be left out: one that began then may last for days. */
export const reachesInto = (hidden: Range, range: Range): boolean =>
  hidden.from < range.to && range.from < hidden.to + SESSION_DURATION_MAX_MS;

/** Whether no other visit was active in all of the range. */
export const coversAll = (hidden: Range, range: Range): boolean =>
  hidden.from + SESSION_DURATION_MAX_MS <= range.from && range.to <= hidden.to;

export function incompleteMeta(incomplete: readonly Excess[] = []): IncompleteMeta {
  if (incomplete.length === 0) return {};
  return {
    incomplete: incomplete.map(({ from, to, policy, samplePercent }) => ({
      ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), policy },
      ...(samplePercent !== null && { share: samplePercent / 100 }),
    })),
  };
}

/** For CSV, whose rows have no place for it: `from/to;policy`, one after the other. */
export function incompleteHeader({ incomplete }: IncompleteMeta): Readonly<Record<string, string>> {
  if (incomplete === undefined) return {};
  const times = incomplete.map(
    ({ from, to, policy, share }) =>
      `${from}/${to};policy=${policy}${share === undefined ? '' : `;share=${share}`}`,
  );
  return { 'tidemark-incomplete': times.join(', ') };
}

const touches = (excess: Excess, range: Range): boolean =>
  excess.policy === 'hide' ? reachesInto(excess, range) : excess.from < range.to && range.from < excess.to;
