// The query side as the api role runs it, on a database of its own: one site, a key that reads it, and read
// models that the caller fills with sessions.
import { QueryModule } from '../../src/modules/query/query.module.js';
import { createReadModels, setCheckpoints } from '../read-model-rows.js';
import { type ControlPlane, OPERATOR_KEY, startControlPlane } from './control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from './postgres.js';

export interface QuerySide {
  readonly postgres: MigratedPostgres;
  readonly plane: ControlPlane;
  readonly site: string;
  /** May read the site's numbers, and nothing else. */
  readonly reader: string;
  keyFor(site: string, scopes: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

interface Options {
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the site, beside its domain. */
  readonly about?: object;
  /** Everything received up to then is in the numbers. */
  readonly watermark?: Date;
}

/** By how much one partition is further than the other. */
const AHEAD_MS = 2_000;

export async function startQuerySide({
  environment = {},
  about = {},
  watermark = new Date(),
}: Options = {}): Promise<QuerySide> {
  const postgres = await startMigratedPostgres();
  const plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, ...environment },
    modules: [QueryModule],
  });
  // In place of those that the module made.
  await createReadModels(postgres.pool);
  await setCheckpoints(postgres.pool, '1', [new Date(watermark.getTime() + AHEAD_MS), watermark]);
  const keyFor = async (of: string, scopes: readonly string[]): Promise<string> =>
    (await plane.call('POST', `/v1/sites/${of}/keys`, { body: { name: 'k', scopes } })).body.key;
  const created = await plane.call('POST', '/v1/sites', { body: { domain: 'shop.example', ...about } });
  const site: string = created.body.id;
  return {
    postgres,
    plane,
    site,
    reader: await keyFor(site, ['stats:read']),
    keyFor,
    stop: async () => {
      await plane.close();
      await postgres.stop();
    },
  };
}
