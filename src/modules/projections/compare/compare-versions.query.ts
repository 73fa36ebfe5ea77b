// What two versions of a projection say of the same days: totals, and the sites, days and metrics that
// differ. One snapshot of both; at most one comparison at a time, as it reads all of either.
import { Inject } from '@nestjs/common';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DatabaseError, Pool, type PoolClient } from 'pg';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { inReadSnapshot } from '../../../postgres/read-snapshot.js';
import { siteUnknown } from '../../auth/access.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { DEFINITIONS } from '../catalog/catalog.js';
import { requireProjection } from '../lifecycle/projection-name.js';
import { ReadModelsDirectory } from '../lifecycle/read-models.directory.js';
import { tableOf } from '../projection.js';
import { type ComparedVersions, comparedVersions, type Wanted } from './compared-versions.js';
import { type ComparisonParameters, comparisonSql, comparisonValues } from './comparison-sql.js';
import { readCursor, writeCursor } from './difference-cursor.js';
import { siteZones } from './site-zones.js';
import { toleranceOf } from './tolerance.js';

export interface Scope {
  /** Id or domain; absent: all sites. */
  readonly site?: string | undefined;
  /** `YYYY-MM-DD`, both included; absent: no bound. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface DifferencesPage {
  /** Such as `12` or `0.5%`. */
  readonly tolerance: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface MetricDifference {
  readonly metric: string;
  readonly a: number;
  readonly b: number;
  /** b − a. */
  readonly difference: number;
}

export interface DayDifference extends MetricDifference {
  readonly site: string;
  readonly date: string;
}

export interface VersionsCompared {
  readonly versions: ComparedVersions;
  readonly totals: readonly MetricDifference[];
  /** Beyond the tolerance, on all pages. */
  readonly differing: number;
  readonly differences: readonly DayDifference[];
  readonly nextCursor: string | null;
  /** One of them has folded more of the log. */
  readonly positionsDiffer: boolean;
}

export class CompareVersionsQuery extends Query<VersionsCompared> {
  constructor(
    readonly wanted: Wanted,
    readonly scope: Scope,
    readonly page: DifferencesPage,
  ) {
    super();
  }
}

interface ComparisonRow {
  readonly rows: number;
  readonly totals: readonly MetricDifference[];
  readonly differing: number;
  readonly page: readonly DayDifference[];
}

/** For rows of a few million sessions; what does not fit goes through files. */
const WORK_MEMORY = '64MB';
const ANOTHER_RUNS_RETRY_SECONDS = 10;
const QUERY_CANCELED = '57014';
const UNDEFINED_TABLE = '42P01';

@QueryHandler(CompareVersionsQuery)
export class CompareVersionsHandler implements IQueryHandler<CompareVersionsQuery> {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(CONFIG) private readonly config: Pick<Config, 'COMPARE_TIMEOUT_MS'>,
    @Inject(ReadModelsDirectory) private readonly directory: Pick<ReadModelsDirectory, 'state'>,
    @Inject(SiteDirectory) private readonly sites: Pick<SiteDirectory, 'find' | 'all'>,
  ) {}

  async execute({ wanted, scope, page }: CompareVersionsQuery): Promise<VersionsCompared> {
    requireProjection(wanted.name);
    const versions = comparedVersions(this.directory.state, DEFINITIONS, wanted);
    const known = scope.site === undefined ? undefined : this.sites.find(scope.site);
    // Rows of a site outlive it.
    const site = known?.id ?? scope.site ?? null;
    if (site !== null && versions.sites?.includes(site) === false) {
      throw Problem.notFound(
        `Versions ${versions.a} and ${versions.b} do not both hold the site ${scope.site}.`,
      );
    }
    const inScope = known ? [known] : site === null ? this.sites.all() : [];
    const tolerance = toleranceOf(page.tolerance);
    const { row, positionsDiffer } = await this.#read(versions, {
      ...siteZones(versions.comparison.days === 'site' ? inScope : []),
      only: site === null ? versions.sites : [site],
      from: scope.from ?? null,
      to: scope.to ?? null,
      toleratedAmount: tolerance.amount,
      toleratedShare: tolerance.share,
      limit: page.limit,
      after: page.cursor === undefined ? null : readCursor(page.cursor, versions),
    });
    if (site !== null && known === undefined && row.rows === 0) throw siteUnknown();
    const differences = row.page.slice(0, page.limit);
    const last = row.page.length > page.limit ? differences.at(-1) : undefined;
    return {
      versions,
      totals: row.totals,
      differing: row.differing,
      differences,
      nextCursor: last ? writeCursor(versions, { ...last, size: Math.abs(last.difference) }) : null,
      positionsDiffer,
    };
  }

  async #read({ name, a, b, comparison }: ComparedVersions, parameters: ComparisonParameters) {
    try {
      return await inReadSnapshot(
        this.pool,
        { timeoutMs: this.config.COMPARE_TIMEOUT_MS, tenant: null },
        async (client) => {
          await takeTurn(client);
          const tables = { a: tableOf({ name, version: a }), b: tableOf({ name, version: b }) };
          const { rows } = await client.query<ComparisonRow>(comparisonSql(comparison, tables), [
            ...comparisonValues(parameters),
          ]);
          return { row: rows[0]!, positionsDiffer: await positionsDiffer(client, [name, a, b]) };
        },
      );
    } catch (error) {
      throw problemFor(error, parameters);
    }
  }
}

/** @throws Problem when another comparison has it, on whatever node */
async function takeTurn(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(
    `SELECT pg_try_advisory_xact_lock(hashtext('tidemark compare')) AS taken`,
  );
  if (!rows[0]!.taken) {
    throw Problem.unavailable('Another comparison is running. Try again.', ANOTHER_RUNS_RETRY_SECONDS);
  }
  await client.query(`SET LOCAL work_mem = '${WORK_MEMORY}'`);
}

async function positionsDiffer(
  client: PoolClient,
  parameters: readonly [name: string, a: number, b: number],
): Promise<boolean> {
  const positions = (version: string) =>
    `(SELECT partition, position FROM checkpoints WHERE projection = $1 AND version = ${version})`;
  const { rows } = await client.query<{ differ: boolean }>(
    `SELECT EXISTS (SELECT FROM ${positions('$2')} AS a FULL JOIN ${positions('$3')} AS b USING (partition)
      WHERE a.position IS DISTINCT FROM b.position) AS differ`,
    [...parameters],
  );
  return rows[0]!.differ;
}

function problemFor(error: unknown, { only, from, to }: ComparisonParameters): unknown {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === UNDEFINED_TABLE) return Problem.notFound('One of the versions was retired meanwhile.');
  if (error.code !== QUERY_CANCELED) return error;
  const narrowable = only?.length !== 1 ? 'site' : from === null ? 'from' : to === null ? 'to' : 'from';
  return new Problem({
    status: 422,
    type: 'comparison-too-costly',
    title: 'The comparison asks for too much at once',
    detail:
      'It ran longer than COMPARE_TIMEOUT_MS allows. Narrow it: name a site, or fewer days with from and to.',
    errors: [{ path: narrowable, message: 'would narrow the comparison' }],
  });
}
