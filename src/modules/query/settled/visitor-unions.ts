// Visitors of several days together, from what the settled days keep of them. Who is asked for the first rows by
// visitors looks at groups in the order of what they can have at most, and stops where no later one can be
// among them; a month of a thousand values is read for a few of them only.
import type { ClientBase } from 'pg';
import { idsAsBytes } from '../../projections/read-models/visitor-ids.js';
import { VisitorUnion } from '../../projections/read-models/visitor-union.js';
import { timestamp } from '../facts/sql-parameters.js';
import type { MergedGroup } from './merged-groups.js';

export interface KeptVisitors {
  readonly site: string;
  /** `settled_visitors` of the version. */
  readonly table: string;
  /** Empty: none. */
  readonly dimension: string;
  /** Those that are settled, and of each its bucket. */
  readonly days: readonly { readonly from: number; readonly bucket: number }[];
  /** Else counting stops at the first group that could only be estimated. */
  readonly mayEstimate: boolean;
}

/** A summary has 16 KiB at most: half a megabyte a day. */
const GROUPS_AT_ONCE = 32;

export type UnionsOutcome = 'exact' | 'estimated' | 'inexact';

/** Sets the visitors of the groups. */
export async function countUnions(
  client: ClientBase,
  kept: KeptVisitors,
  groups: readonly MergedGroup[],
): Promise<UnionsOutcome> {
  let exact = true;
  for (let start = 0; start < groups.length; start += GROUPS_AT_ONCE) {
    const some = groups.slice(start, start + GROUPS_AT_ONCE);
    const unions = await readUnions(client, kept, some);
    for (const [index, group] of some.entries()) {
      const union = unions[index]!;
      exact &&= union.exact;
      if (!union.exact && !kept.mayEstimate) return 'inexact';
      const count = Math.min(group.sumOfVisitors, Math.max(group.mostVisitors, union.count()));
      group.counters = { ...group.counters, visitors: count };
    }
  }
  return exact ? 'exact' : 'estimated';
}

/** Of the groups those that have the most visitors, more than `count` if need be; theirs are set. */
export async function countLargestUnions(
  client: ClientBase,
  kept: KeptVisitors,
  { groups, count }: { readonly groups: readonly MergedGroup[]; readonly count: number },
): Promise<{ readonly outcome: UnionsOutcome; readonly largest: readonly MergedGroup[] }> {
  const candidates = groups.toSorted((a, b) => b.sumOfVisitors - a.sumOfVisitors);
  let outcome: UnionsOutcome = 'exact';
  let start = 0;
  while (start < candidates.length) {
    const some = candidates.slice(start, start + GROUPS_AT_ONCE);
    const counted = await countUnions(client, kept, some);
    if (counted !== 'exact') outcome = counted;
    if (outcome === 'inexact') break;
    start += some.length;
    const sizes = candidates.slice(0, start).map(({ counters }) => counters.visitors);
    const last = sizes.toSorted((a, b) => b - a)[count - 1];
    const next = candidates[start]?.sumOfVisitors ?? 0;
    if (last !== undefined && last > next) break;
  }
  return { outcome, largest: candidates.slice(0, start) };
}

async function readUnions(
  client: ClientBase,
  { site, table, dimension, days, mayEstimate }: KeptVisitors,
  groups: readonly MergedGroup[],
): Promise<readonly VisitorUnion[]> {
  const unions = new Map(groups.map((group) => [`${group.bucket} ${group.value}`, new VisitorUnion()]));
  for (const { bucket, value, ids } of groups) {
    for (const some of ids) unions.get(`${bucket} ${value}`)!.add(idsAsBytes(some));
  }
  const buckets = new Set(groups.map(({ bucket }) => bucket));
  const asked = days.filter(({ bucket }) => buckets.has(bucket));
  const { rows } = await client.query<{ value: string; place: number; bytes: Buffer }>(
    `SELECT value, array_position($3::timestamptz[], day) AS place,
        ${mayEstimate ? 'summary' : 'coalesce(ids, summary)'} AS bytes
      FROM ${table} WHERE site = $1 AND dimension = $2 AND day = ANY($3::timestamptz[]) AND value = ANY($4::text[])
        AND value_hash = ANY(ARRAY(SELECT hashtextextended(v, 0) FROM unnest($4::text[]) v))`,
    [
      site,
      dimension,
      asked.map(({ from }) => timestamp(from)),
      [...new Set(groups.map(({ value }) => value))],
    ],
  );
  for (const { value, place, bytes } of rows) {
    unions.get(`${asked[place - 1]!.bucket} ${value}`)?.add(bytes);
  }
  return [...unions.values()];
}
