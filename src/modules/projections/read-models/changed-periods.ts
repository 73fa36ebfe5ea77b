// Where in time sessions have changed, by site, period of four hours and partition: each with the position
// of the log up to which those sessions were complete when they last did. What has been computed of a
// site's periods holds as long as these positions do. A session belongs to all periods that it touches,
// before the change and after. Written in the transaction that writes the rows; whoever changes rows
// otherwise must write it, too. (A count instead of the position would not do: what a crash has undone
// could be counted again with other events.)

/** Whatever the zone, yesterday stops changing a few hours after midnight; a month is 180 rows. */
export const CHANGED_PERIOD_MS = 4 * 3_600_000;

/** Epoch milliseconds: when the period began that the instant lies in. */
export const changedPeriodOf = (at: number): number => Math.floor(at / CHANGED_PERIOD_MS) * CHANGED_PERIOD_MS;

export const changedPeriodsTable = (version: number): string => `changed_periods_v${version}`;

/** Rows are updated at every flush. */
export const changedPeriodsSql = (version: number): string => `
  CREATE TABLE IF NOT EXISTS ${changedPeriodsTable(version)} (
    site text COLLATE "C" NOT NULL, period timestamptz NOT NULL, partition smallint NOT NULL,
    position text NOT NULL, PRIMARY KEY (site, period, partition)
  ) WITH (fillfactor = 70)`;

/**
 * An expression: another text as soon as sessions in [from, to) may have changed. `site`, `from`, `to` are
 * expressions, too.
 */
export const changesSql = (
  table: string,
  { site, from, to }: { readonly site: string; readonly from: string; readonly to: string },
): string => `(
  SELECT coalesce(md5(string_agg(concat_ws(' ', extract(epoch FROM c.period), c.partition, c.position), ','
    ORDER BY c.period, c.partition)), '')
  FROM ${table} c WHERE c.site = ${site} AND c.period < ${to}
    AND c.period > ${from} - interval '${CHANGED_PERIOD_MS / 3_600_000} hours')`;
