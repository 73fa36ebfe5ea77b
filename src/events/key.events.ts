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
        /** ISO 8601; absent: good until it is revoked. */
        readonly expiresAt?: string;
        /** The key that this one takes the place of. */
        readonly rotatedFrom?: string;
      };
    }
  | {
      readonly type: 'KeyChanged';
      readonly data: {
        readonly key: string;
        readonly name?: string;
        /** Null: good until it is revoked. */
        readonly expiresAt?: string | null;
      };
    }
  | {
      /** Its successor is issued before, in a stream of its own. */
      readonly type: 'KeyRotated';
      readonly data: { readonly key: string; readonly successor: string; readonly expiresAt: string };
    }
  | { readonly type: 'KeyRevoked'; readonly data: { readonly key: string } };
