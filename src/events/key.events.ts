// What people did to API keys. Stream `key-{id}`. The key itself is shown once and never stored.
export type KeyScope = 'ingest' | 'ingest:server' | 'stats:read' | 'sites:admin' | 'operator';

export type KeyEvent =
  | {
      readonly type: 'KeyIssued';
      readonly data: {
        readonly key: string;
        readonly merchant: string;
        /** Null: good for all of the merchant's sites. */
        readonly site: string | null;
        readonly name: string;
        readonly scopes: readonly KeyScope[];
        /** The first characters of the key, to recognise it by. */
        readonly prefix: string;
        /** HMAC-SHA-256 of the key under the installation's pepper, hexadecimal. */
        readonly digest: string;
      };
    }
  | { readonly type: 'KeyRevoked'; readonly data: { readonly key: string } };
