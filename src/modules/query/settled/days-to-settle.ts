// Finds what there is to settle: large sites, told by the rollup, and of each the days that are over, newest
// first, that were never settled or are not what they were.
import type { ClientBase } from 'pg';
import { CHANGED_PERIOD_MS, changedPeriodOf } from '../../projections/read-models/changed-periods.js';
import { timestamp } from '../facts/sql-parameters.js';
import { localDateOf, type Range, startOfDay } from '../request/date-range.js';
import { DAYS_MAX, wholeDaysOf } from './settled-question.js';
import { settledFromSql, type SettledTables } from './settled-tables.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** After the last period of a day: what comes late comes mostly by then. */
const GRACE_MS = HOUR_MS;
/** After a site's last visit the days of a month are settled, too: it may be asked about. */
const QUIET_MS = 40 * DAY_MS;
/** A day that goes on changing is not settled again and again. */
const SETTLED_AGAIN_AFTER = '10 minutes';

export interface LargeSite {
  readonly site: string;
  /** Epoch milliseconds, hours in UTC: its data begins and ends there. */
  readonly since: number;
  readonly until: number;
}

/** Those with so many sessions on some day (of UTC). */
export async function largeSitesAmong(
  client: ClientBase,
  sites: readonly string[],
  { rollup, daySessionsMin }: { readonly rollup: string; readonly daySessionsMin: number },
): Promise<readonly LargeSite[]> {
  const { rows } = await client.query<{ site: string; since: Date; until: Date }>(
    `SELECT asked.site, min(t.since) AS since, max(t.until) AS until FROM unnest($1::text[]) AS asked(site), LATERAL (
        SELECT min(hour) AS since, max(hour) AS until, sum(sessions_started) AS sessions FROM ${rollup} WHERE site = asked.site
        GROUP BY extract(epoch FROM hour)::bigint / 86400) AS t
      GROUP BY asked.site HAVING max(t.sessions) >= $2`,
    [sites, daySessionsMin],
  );
  return rows.map(({ site, since, until }) => ({ site, since: since.getTime(), until: until.getTime() }));
}

/** All days of the site that are over and done with, oldest first. */
export function daysOver(
  { since, until }: Pick<LargeSite, 'since' | 'until'>,
  now: number,
  zone: string,
): readonly Range[] {
  const last = Math.min(now, until + QUIET_MS);
  const from = startOfDay(localDateOf(Math.max(since, last - (DAYS_MAX - 2) * DAY_MS), zone), zone);
  const to = startOfDay(localDateOf(last, zone), zone);
  const days = to > from ? (wholeDaysOf({ from, to }, zone) ?? []) : [];
  return days.filter((day) => changedPeriodOf(day.to - 1) + CHANGED_PERIOD_MS + GRACE_MS <= now);
}

export interface Unsettled {
  /** Newest first. */
  readonly days: readonly Range[];
  /** Beginnings of days that are none any more: the site has another zone. */
  readonly gone: readonly number[];
}

export async function unsettledDays(
  client: ClientBase,
  { site, days }: { readonly site: string; readonly days: readonly Range[] },
  tables: SettledTables,
): Promise<Unsettled> {
  const starts = days.map(({ from }) => timestamp(from));
  const { rows } = await client.query<{ place: string }>(
    `SELECT place FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS asked(day, until, place)
      LEFT JOIN ${tables.days} d ON d.site = $1 AND d.day = asked.day
      WHERE d.day IS NULL OR d.until <> asked.until OR (d.settled_at < now() - interval '${SETTLED_AGAIN_AFTER}'
        AND d.changes <> ${settledFromSql(tables, { site: '$1', from: 'asked.day', to: 'asked.until' })})
      ORDER BY place DESC`,
    [site, starts, days.map(({ to }) => timestamp(to))],
  );
  const gone = await client.query<{ day: Date }>(
    `SELECT day FROM ${tables.days} WHERE site = $1 AND day <> ALL($2::timestamptz[])`,
    [site, starts],
  );
  return {
    days: rows.map(({ place }) => days[Number(place) - 1]!),
    gone: gone.rows.map(({ day }) => day.getTime()),
  };
}
