// Cuts what is to be rewritten into moves: each of one partition of the log, so that it holds up only that
// partition's projector, and of so few rows that it does not hold it up for long. Pure.
import { DAY_MS } from './days-to-cluster.js';

/** How many rows a site has on the day in one partition of the log. */
export interface SiteRows {
  readonly site: string;
  readonly partition: number;
  readonly rows: number;
}

/** Rows of some sites, of sessions that began from one instant to before another (epoch ms). */
export interface Move {
  readonly partition: number;
  readonly sites: readonly string[];
  readonly from: number;
  readonly to: number;
}

/**
 * Those whose rows were all counted. None where the limit cut off the only one.
 * @param limit where counting rows, site by site, ended
 */
export function wholeSites(listed: readonly SiteRows[], limit: number): readonly SiteRows[] {
  if (listed.reduce((sum, { rows }) => sum + rows, 0) < limit) return listed;
  const last = listed.at(-1)?.site;
  return listed.filter(({ site }) => site !== last);
}

/**
 * @param listed in the order of sites
 * @param rowsMax about: a site with more is cut into equal times, of which some have more rows than others
 */
export function movesOf(listed: readonly SiteRows[], day: number, rowsMax: number): Move[] {
  const moves: Move[] = [];
  const open = new Map<number, { readonly sites: string[]; rows: number }>();
  for (const { site, partition, rows } of listed) {
    if (rows > rowsMax) {
      moves.push(...cutInTime({ site, partition, day, parts: Math.ceil(rows / rowsMax) }));
      continue;
    }
    let group = open.get(partition);
    if (group === undefined || group.rows + rows > rowsMax) {
      group = { sites: [], rows: 0 };
      open.set(partition, group);
      moves.push({ partition, sites: group.sites, from: day, to: day + DAY_MS });
    }
    group.sites.push(site);
    group.rows += rows;
  }
  return moves;
}

function cutInTime(of: {
  readonly site: string;
  readonly partition: number;
  readonly day: number;
  readonly parts: number;
}): Move[] {
  const bound = (part: number) => of.day + Math.round((part * DAY_MS) / of.parts);
  return Array.from({ length: of.parts }, (_, part) => ({
    partition: of.partition,
    sites: [of.site],
    from: bound(part),
    to: bound(part + 1),
  }));
}
