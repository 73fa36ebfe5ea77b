// What people did to shared links. Stream `link-{id}`. The token of a link is in no event: it is computed.
type Settings = {
  readonly name: string;
  /** Whether pages of others may show it in a frame. */
  readonly embeddable: boolean;
  /** Hosts whose pages may; none: any. */
  readonly allowedHosts: readonly string[];
};

export type SharedLinkEvent =
  | {
      readonly type: 'SharedLinkCreated';
      readonly data: Settings & {
        readonly link: string;
        readonly merchant: string;
        readonly site: string;
        /** Its scrypt hash, encrypted under the installation's pepper; absent: none is needed. */
        readonly password?: string;
        /** ISO 8601; absent: good until it is deleted. */
        readonly expiresAt?: string;
      };
    }
  | {
      readonly type: 'SharedLinkChanged';
      readonly data: Partial<Settings> & {
        readonly link: string;
        /** Null: none is needed any more. Either ends the sessions before. */
        readonly password?: string | null;
        /** Null: good until it is deleted. */
        readonly expiresAt?: string | null;
      };
    }
  | { readonly type: 'SharedLinkDeleted'; readonly data: { readonly link: string } };
