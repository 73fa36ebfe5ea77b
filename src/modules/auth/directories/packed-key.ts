// A key as a line of text and back. What it is found by and what every request asks of it stand first, between tabs, and
// can be read alone; the rest is JSON without the names of its fields. No id, digest or scope has a tab or a comma.
import type { KeyScope } from '../../../events/key.events.js';
import type { ApiKey } from '../keys/key.aggregate.js';

export interface KeyHead {
  /** In base64url: see shortDigest. */
  readonly digest: string;
  readonly id: string;
  readonly merchant: string;
  readonly site: string | null;
  /** Joined by commas. */
  readonly scopes: string;
  /** Epoch ms; 0: never. */
  readonly expiresAtMs: number;
}

type KeyRest = readonly [
  name: string,
  prefix: string,
  successor: string | 0,
  /** Epoch ms. */
  createdAt: number,
  revision: number,
];

const REST_AT = 6;

export const shortDigest = (digest: string): string => Buffer.from(digest, 'hex').toString('base64url');

export function packKey(key: ApiKey): string {
  const rest: KeyRest = [key.name, key.prefix, key.successor ?? 0, key.createdAt.getTime(), key.revision];
  const { id, merchant, site, scopes, expiresAt } = key;
  const head = [
    shortDigest(key.digest),
    id,
    merchant,
    site ?? '',
    scopes.join(','),
    expiresAt?.getTime() ?? 0,
  ];
  return `${head.join('\t')}\t${JSON.stringify(rest)}`;
}

export function keyHead(text: string): KeyHead {
  const [digest, id, merchant, site, scopes, expiresAt] = text.split('\t', REST_AT);
  return {
    digest: digest!,
    id: id!,
    merchant: merchant!,
    site: site === '' ? null : site!,
    scopes: scopes!,
    expiresAtMs: Number(expiresAt),
  };
}

export function unpackKey(text: string): ApiKey {
  const { digest, id, merchant, site, scopes, expiresAtMs } = keyHead(text);
  const [name, prefix, successor, createdAt, revision] = JSON.parse(restOf(text)) as KeyRest;
  return {
    id,
    merchant,
    site,
    name,
    prefix,
    revision,
    scopes: scopes === '' ? [] : (scopes.split(',') as KeyScope[]),
    digest: Buffer.from(digest, 'base64url').toString('hex'),
    expiresAt: expiresAtMs === 0 ? null : new Date(expiresAtMs),
    successor: successor === 0 ? null : successor,
    createdAt: new Date(createdAt),
  };
}

/** JSON has no tabs of its own. */
const restOf = (text: string): string => text.slice(text.lastIndexOf('\t') + 1);
