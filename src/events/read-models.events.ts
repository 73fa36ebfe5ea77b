// What people and the projectors did to the read models as a whole. One stream, `read-models`: the
// projections are folded together, so they are rebuilt, promoted and retired together.

export interface RebuildScope {
  /** Site ids; null: all. */
  readonly sites: readonly string[] | null;
  /** Site-local days, `YYYY-MM-DD`, both included; null: no bound. */
  readonly from: string | null;
  readonly to: string | null;
}

export type RebuildSource = 'log' | 'archive+log';

export type ReadModelsEvent =
  | {
      readonly type: 'ReadModelsFounded';
      readonly data: { readonly version: number; readonly definition: number; readonly fingerprint: string };
    }
  | {
      readonly type: 'RebuildRequested';
      readonly data: {
        readonly rebuild: string;
        /** Under whose name it was asked for. */
        readonly projection: string;
        readonly version: number;
        readonly definition: number;
        /** Of the definition's code: the same number must mean the same. */
        readonly fingerprint: string;
        readonly scope: RebuildScope;
        /** The version that held the rows of the scope then. */
        readonly basis: number;
        readonly source: RebuildSource;
      };
    }
  | { readonly type: 'RebuildStarted'; readonly data: { readonly rebuild: string } }
  | { readonly type: 'RebuildPaused'; readonly data: { readonly rebuild: string } }
  | { readonly type: 'RebuildResumed'; readonly data: { readonly rebuild: string } }
  | { readonly type: 'RebuildCancelled'; readonly data: { readonly rebuild: string } }
  | { readonly type: 'RebuildFailed'; readonly data: { readonly rebuild: string; readonly error: string } }
  | { readonly type: 'RebuildCaughtUp'; readonly data: { readonly rebuild: string } }
  | {
      readonly type: 'VersionsCompared';
      readonly data: {
        readonly projection: string;
        readonly a: number;
        readonly b: number;
        /** Sites, days and metrics that differ beyond the tolerance. */
        readonly differing: number;
        readonly tolerance: string;
      };
    }
  | {
      readonly type: 'VersionPromoted';
      readonly data: { readonly version: number; readonly previous: number; readonly forced: boolean };
    }
  | {
      readonly type: 'VersionRolledBack';
      readonly data: { readonly version: number; readonly previous: number };
    }
  | { readonly type: 'VersionRetired'; readonly data: { readonly version: number } };
