// A key as a line of text and back: values without the names of their fields, the digest in base64.
import type { KeyScope } from '../../../events/key.events.js';
import type { ApiKey } from '../keys/key.aggregate.js';

type KeyLine = readonly [
  id: string,
  merchant: string,
  site: string | 0,
  name: string,
  scopes: readonly KeyScope[],
  prefix: string,
  digest: string,
  /** Epoch ms; 0: never. */
  expiresAt: number,
  successor: string | 0,
  /** Epoch ms. */
  createdAt: number,
  revision: number,
];

export function packKey(key: ApiKey): string {
  const line: KeyLine = [
    ...([key.id, key.merchant, key.site ?? 0, key.name, key.scopes, key.prefix] as const),
    Buffer.from(key.digest, 'hex').toString('base64url'),
    key.expiresAt?.getTime() ?? 0,
    key.successor ?? 0,
    key.createdAt.getTime(),
    key.revision,
  ];
  return JSON.stringify(line);
}

export function unpackKey(text: string): ApiKey {
  const [id, merchant, site, name, scopes, prefix, digest, expiresAt, successor, createdAt, revision] =
    JSON.parse(text) as KeyLine;
  return {
    id,
    merchant,
    site: site === 0 ? null : site,
    name,
    scopes,
    prefix,
    digest: Buffer.from(digest, 'base64url').toString('hex'),
    expiresAt: expiresAt === 0 ? null : new Date(expiresAt),
    successor: successor === 0 ? null : successor,
    createdAt: new Date(createdAt),
    revision,
  };
}
