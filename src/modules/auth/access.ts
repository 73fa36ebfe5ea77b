// The one place that decides what a key may do, and what whoever may not is told. A site of
// another merchant answers exactly as one that does not exist, and a missing scope is noticed
// before the site is looked at, so that neither tells which sites there are.
import type { KeyScope } from '../../events/key.events.js';
import { Problem } from '../../http/problem.js';
import type { Site } from './sites/site.aggregate.js';

export interface KeyHolder {
  readonly id: string;
  /** Null: the operator, for all merchants. */
  readonly merchant: string | null;
  /** Null: all of the merchant's sites. */
  readonly site: string | null;
  readonly scopes: ReadonlySet<KeyScope>;
}

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;

export function bearerKey(headers: { readonly authorization?: string | undefined }): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

export function hasScope(holder: KeyHolder, scope: KeyScope): boolean {
  if (holder.scopes.has(scope) || holder.scopes.has('operator')) return true;
  return scope === 'ingest' && holder.scopes.has('ingest:server');
}

/** The key's reach only: not what it may do there. */
export function reaches(holder: KeyHolder, site: Pick<Site, 'id' | 'merchant'>): boolean {
  if (holder.merchant === null) return true;
  return holder.merchant === site.merchant && (holder.site === null || holder.site === site.id);
}

/** @throws Problem 403 unless the key has one of `scopes`. */
export function requireScope(holder: KeyHolder, ...scopes: readonly KeyScope[]): void {
  if (scopes.some((scope) => hasScope(holder, scope))) return;
  throw Problem.forbidden(`This needs a key with the scope ${scopes.join(' or ')}.`);
}

/** @throws Problem 404 unless there is a site and the key reaches it. */
export function requireReach(holder: KeyHolder, site: Site | undefined): Site {
  if (site === undefined || !reaches(holder, site)) throw siteUnknown();
  return site;
}

export const siteUnknown = (): Problem => Problem.notFound('There is no such site.');
