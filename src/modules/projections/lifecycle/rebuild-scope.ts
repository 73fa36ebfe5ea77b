// What a rebuild is asked to cover: everything, some sites, some days of them.
import type { RebuildScope } from '../../../events/read-models.events.js';
import { Problem } from '../../../http/problem.js';
import type { SiteDirectory } from '../../auth/directories/site.directory.js';
import type { RebuildBody } from './rebuild.dto.js';

export interface ScopeContext {
  readonly directory: Pick<SiteDirectory, 'find'>;
  readonly hasArchive: boolean;
}

/** @throws Problem 404 for a site that there is not, 400 for days in the wrong order, and for an archive where there is none */
export function scopeOf(
  { sites, from, to, source }: RebuildBody,
  { directory, hasArchive }: ScopeContext,
): RebuildScope {
  if (source !== 'log' && !hasArchive) {
    throw Problem.badRequest('There is no archive: ARCHIVE_URL is not set.', [
      { path: 'source', message: 'must be "log"' },
    ]);
  }
  if (from !== undefined && to !== undefined && from > to) {
    throw Problem.badRequest('The last day must not lie before the first.', [
      { path: 'to', message: `is before ${from}` },
    ]);
  }
  const ids = sites?.map((name) => idOf(name, directory));
  // Two names may be one site; and in an order that does not depend on the request's.
  return { sites: ids ? [...new Set(ids)].toSorted() : null, from: from ?? null, to: to ?? null };
}

function idOf(name: string, directory: ScopeContext['directory']): string {
  const site = directory.find(name);
  if (site === undefined) throw Problem.notFound(`There is no site ${name}.`);
  return site.id;
}
