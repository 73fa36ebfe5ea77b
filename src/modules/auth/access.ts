// The one place that decides what a caller may do, and what whoever may not is told. A site of
// another merchant answers exactly as one that does not exist, and a missing permission is noticed
// before the site is looked at, so that neither tells which sites there are.
import type { KeyScope } from '../../events/key.events.js';
import type { Role } from '../../events/merchant.events.js';
import { Problem } from '../../http/problem.js';
import type { Origin, Whence } from './origin.js';
import type { SignedInPerson } from './people/tokens/access-tokens.js';
import type { Site } from './sites/site.aggregate.js';

/**
 * The scopes of keys, and what they are too coarse for: to see numbers, and no more, as by a shared link; to save
 * goals, segments, funnels and annotations; to manage a merchant's members; and what only its owners decide.
 */
export type Permission = KeyScope | 'stats:view' | 'definitions:write' | 'members:admin' | 'merchant:own';

/** By which link somebody came, and with which of its passwords. */
export interface ViaLink {
  readonly link: string;
  readonly generation: number;
}

/** Whoever shows a valid key, is signed in, or came by a shared link. */
export interface Caller {
  /** Of the key, `person-{id}` or `link-{id}`. */
  readonly id: string;
  /** Null: the operator, for all merchants. */
  readonly merchant: string | null;
  /** Null: all of the merchant's sites. */
  readonly site: string | null;
  readonly scopes: ReadonlySet<Permission>;
  /** Of somebody signed in: by which sign-in. */
  readonly signedIn?: SignedInPerson;
  /** Of somebody who came by a shared link. */
  readonly viaLink?: ViaLink;
  /** Of this request; found out only when somebody asks. */
  readonly whence?: () => Whence;
}

/** What a member may: each role what the one below may, and more. */
const VIEWER: readonly Permission[] = ['stats:read'];
const EDITOR: readonly Permission[] = [...VIEWER, 'definitions:write'];
const ADMIN: readonly Permission[] = [...EDITOR, 'sites:admin'];
const OWNER: readonly Permission[] = [...ADMIN, 'merchant:own'];

const SCOPES_OF_ROLE: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  viewer: new Set(VIEWER),
  editor: new Set(EDITOR),
  admin: new Set(ADMIN),
  owner: new Set(OWNER),
};

/** For who is refused: what would have been enough. */
const ENOUGH: Readonly<Record<Permission, string>> = {
  ingest: 'a key with the scope ingest',
  'ingest:server': 'a key with the scope ingest:server',
  'stats:read': 'a key with the scope stats:read',
  'stats:view': 'a key with the scope stats:read',
  'sites:admin': 'a key with the scope sites:admin',
  operator: 'a key with the scope operator',
  'definitions:write': 'a key with the scope sites:admin, or the role editor',
  'members:admin': "a key with the scope sites:admin for all of a merchant's sites, or the role admin",
  'merchant:own': 'the role owner',
};

/** Of somebody who acts for none: no merchant has this id. */
export const NO_MERCHANT = '';

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;
const PERSON = 'person-';

export function bearerKey(headers: { readonly authorization?: string | undefined }): string | undefined {
  return BEARER.exec(headers.authorization ?? '')?.[1];
}

/** Somebody signed in who acts for a merchant. */
export const memberCaller = (person: string, merchant: string, role: Role): Caller => ({
  id: `${PERSON}${person}`,
  merchant,
  site: null,
  scopes: SCOPES_OF_ROLE[role],
});

/** Undefined: not somebody signed in, but a key. */
export const personOf = ({ id }: Pick<Caller, 'id'>): string | undefined =>
  id.startsWith(PERSON) ? id.slice(PERSON.length) : undefined;

/** What the events of a command say that the caller sent. */
export const originOf = (caller: Caller): Origin => ({
  by: caller.id,
  kind: kindOf(caller),
  ...caller.whence?.(),
});

/** Somebody who asks without being signed in, as whoever proves by a mail who they are. */
export const originOfPerson = (person: string, whence: Whence): Origin => ({
  by: `${PERSON}${person}`,
  kind: 'account',
  ...whence,
});

function kindOf(caller: Caller): Origin['kind'] {
  if (caller.viaLink !== undefined) return 'link';
  if (personOf(caller) !== undefined) return 'account';
  return caller.scopes.has('operator') ? 'operator' : 'key';
}

export function hasScope(caller: Caller, scope: Permission): boolean {
  const { scopes } = caller;
  if (scopes.has(scope) || scopes.has('operator')) return true;
  switch (scope) {
    case 'ingest':
      return scopes.has('ingest:server');
    case 'stats:view':
      return scopes.has('stats:read');
    case 'definitions:write':
      return scopes.has('sites:admin');
    case 'members:admin':
      return scopes.has('sites:admin') && caller.site === null;
    default:
      return false;
  }
}

/** The key's reach only: not what it may do there. */
export function reaches(caller: Caller, site: Pick<Site, 'id' | 'merchant'>): boolean {
  if (caller.merchant === null) return true;
  return caller.merchant === site.merchant && (caller.site === null || caller.site === site.id);
}

/** @throws Problem 403 unless the caller has one of `scopes`. */
export function requireScope(caller: Caller, ...scopes: readonly Permission[]): void {
  if (scopes.some((scope) => hasScope(caller, scope))) return;
  throw Problem.forbidden(`This needs ${scopes.map((scope) => ENOUGH[scope]).join(', or ')}.`);
}

/** @throws Problem 404 unless there is a site and the key reaches it. */
export function requireReach(caller: Caller, site: Site | undefined): Site {
  if (site === undefined || !reaches(caller, site)) throw siteUnknown();
  return site;
}

export const siteUnknown = (): Problem => Problem.notFound('There is no such site.');
