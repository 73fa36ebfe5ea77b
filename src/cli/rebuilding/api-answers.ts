// What the API says of the versions of the read models and of rebuilds, as far as the CLI shows it; and
// how it is addressed.

export const ADMIN = '/admin/v1';

/** As the API takes them. */
export const VERSION_MAX = 1_000_000;

/** Sessions, traffic and waiting are one: which of them is named makes no difference. */
export const DEFAULT_PROJECTION = 'sessions';

export const projectionPath = (name: string): string => `${ADMIN}/projections/${encodeURIComponent(name)}`;
export const rebuildPath = (id: string): string => `${ADMIN}/rebuilds/${encodeURIComponent(id)}`;

export const ALL_TOGETHER =
  'All projections (sessions, traffic, waiting) are folded together and share one version number: what is done\nunder the name of one is done to all.';

export interface ProjectionVersion {
  readonly version: number;
  readonly definition: number;
  readonly state: 'building' | 'caught_up' | 'serving' | 'retired' | 'failed';
  /** Whose rows it holds; null: all. */
  readonly sites: readonly string[] | null;
  /** Kept current by a projector whose program has its definition. */
  readonly fed: boolean;
  readonly watermark: string | null;
  readonly lagMs: number | null;
  readonly partitions: readonly {
    readonly partition: number;
    readonly position: string | null;
    readonly endPosition: string | null;
    readonly lagEvents: number;
  }[];
}

export interface ProjectionStatus {
  readonly name: string;
  readonly servingVersion: number;
  readonly versions: readonly ProjectionVersion[];
}

export type RebuildState =
  'requested' | 'running' | 'paused' | 'caught_up' | 'promoted' | 'cancelled' | 'failed';

export interface RebuildPartition {
  readonly partition: number;
  readonly phase: 'waiting' | 'sorting' | 'writing' | 'following';
  readonly events: number;
  readonly eventsExpected: number;
  readonly error?: string;
}

export interface Rebuild {
  readonly id: string;
  readonly projection: string;
  readonly version: number;
  readonly definition: number;
  readonly scope: {
    readonly sites: readonly string[] | null;
    readonly from: string | null;
    readonly to: string | null;
  };
  readonly source: string;
  readonly state: RebuildState;
  readonly error?: string;
  readonly requestedAt: string;
  readonly events: number;
  readonly eventsExpected: number;
  readonly eventsPerSecond: number | null;
  readonly secondsLeft: number | null;
  readonly partitions: readonly RebuildPartition[];
}

export const isUnderWay = ({ state }: Pick<Rebuild, 'state'>): boolean =>
  state === 'requested' || state === 'running' || state === 'paused';

export interface ServingChange {
  readonly name: string;
  readonly servingVersion: number;
  /** To which a rollback would return. */
  readonly previousVersion: number | null;
}

export interface Comparison {
  readonly a: number;
  readonly b: number;
  /** Those that both versions hold; null: all. */
  readonly sites: readonly string[] | null;
  readonly tolerance: string;
  /** Nothing differs beyond the tolerance. */
  readonly within: boolean;
  /** One version has folded more of the log. */
  readonly positions_differ: boolean;
  readonly days: 'site' | 'utc';
  readonly columns_not_compared: readonly string[];
  readonly totals: readonly Difference[];
  /** On all pages. */
  readonly differences_total: number;
  readonly differences: readonly (Difference & { readonly site: string; readonly date: string })[];
  readonly next_cursor: string | null;
}

export interface Difference {
  readonly metric: string;
  readonly a: number;
  readonly b: number;
  readonly difference: number;
}
