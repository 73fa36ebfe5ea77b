// The one place that decides what a caller may do, and what whoever may not is told. A site of
// another merchant answers exactly as one that does not exist, and a missing scope is noticed
// before the site is looked at, so that neither tells which sites there are.
import type { KeyScope } from '../../events/key.events.js';
import { Problem } from '../../http/problem.js';
import type { Site } from './sites/site.aggregate.js';

/** Whoever shows a valid key. */
export interface Caller {
  /** Of the key: what commands record as `by`. */
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

export function hasScope(caller: Caller, scope: KeyScope): boolean {
  if (caller.scopes.has(scope) || caller.scopes.has('operator')) return true;
  return scope === 'ingest' && caller.scopes.has('ingest:server');
}

/** The key's reach only: not what it may do there. */
export function reaches(caller: Caller, site: Pick<Site, 'id' | 'merchant'>): boolean {
  if (caller.merchant === null) return true;
  return caller.merchant === site.merchant && (caller.site === null || caller.site === site.id);
}

/** @throws Problem 403 unless the key has one of `scopes`. */
export function requireScope(caller: Caller, ...scopes: readonly KeyScope[]): void {
  if (scopes.some((scope) => hasScope(caller, scope))) return;
  throw Problem.forbidden(`This needs a key with the scope ${scopes.join(' or ')}.`);
}

/** @throws Problem 404 unless there is a site and the key reaches it. */
export function requireReach(caller: Caller, site: Site | undefined): Site {
  if (site === undefined || !reaches(caller, site)) throw siteUnknown();
  return site;
}

export const siteUnknown = (): Problem => Problem.notFound('There is no such site.');
