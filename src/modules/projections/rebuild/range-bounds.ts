// Between which instants the days of a rebuild lie. Decided once for all partitions and kept with the
// version, because a site's time zone may be changed before its rebuild is over.
import type { Pool, PoolClient } from 'pg';
import type { RebuildScope } from '../../../events/read-models.events.js';
import type { SiteZones } from '../compare/site-zones.js';
import type { Bounds, Ranges } from './build-scope.js';

const LOCK = 'tidemark rebuild bounds';
/** Of those sites that have no row of their own. */
const USUAL = '';

export const isOfSomeDays = ({ from, to }: RebuildScope): boolean => from !== null || to !== null;

/** @param zones asked only by the first */
export async function decideRanges(
  pool: Pool,
  { version, scope }: { readonly version: number; readonly scope: RebuildScope },
  zones: () => Promise<SiteZones>,
): Promise<void> {
  if ((await readRanges(pool, version)) !== null) return;
  const said = await zones();
  const client = await pool.connect();
  try {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtext('${LOCK}'))`);
    if ((await readRanges(client, version)) === null) await writeBounds(client, { version, scope }, said);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** Null: not decided yet. */
export async function readRanges(
  client: Pick<Pool | PoolClient, 'query'>,
  version: number,
): Promise<Ranges | null> {
  const { rows } = await client.query<{ site: string; from: number; to: number }>(
    `SELECT site, (extract(epoch FROM from_at) * 1000)::float8 AS "from", (extract(epoch FROM to_at) * 1000)::float8 AS "to"
     FROM rebuild_bounds WHERE version = $1`,
    [version],
  );
  const bySite = new Map(rows.map(({ site, from, to }): [string, Bounds] => [site, { from, to }]));
  const usual = bySite.get(USUAL);
  bySite.delete(USUAL);
  return usual ? { usual, bySite } : null;
}

async function writeBounds(
  client: PoolClient,
  { version, scope: { from, to } }: { readonly version: number; readonly scope: RebuildScope },
  { sites, zones }: SiteZones,
): Promise<void> {
  await client.query(
    `INSERT INTO rebuild_bounds (version, site, from_at, to_at)
     SELECT $1, site, coalesce(${startOf('$4::date')}, '-infinity'), coalesce(${startOf('($5::date + 1)')}, 'infinity')
     FROM unnest($2::text[], $3::text[]) AS zones(site, zone)`,
    [version, [USUAL, ...sites], ['UTC', ...zones], from, to],
  );
}

/**
 * The first instant of a day in `zone`. Where clocks are put back at midnight there are two midnights, of
 * which PostgreSQL names the later; where they are put forward there is none, and it names what comes next.
 */
const startOf = (day: string): string => {
  const midnight = `(${day}::timestamp AT TIME ZONE zone)`;
  return `(SELECT min(at) FROM generate_series(${midnight} - interval '1 hour', ${midnight}, interval '15 minutes') AS at
    WHERE (at AT TIME ZONE zone)::date >= ${day})`;
};
