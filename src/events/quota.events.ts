// What operators allow a merchant in a month, of what it was warned, and since when it is over. Stream
// `quota-{merchant}`: apart from the merchant's own, because intake writes to it, too.

/** What becomes of events beyond quota and grace: not taken; taken and not shown; a share of the visitors taken. */
export const QUOTA_POLICIES = ['refuse', 'hide', 'sample'] as const;
export type QuotaPolicy = (typeof QUOTA_POLICIES)[number];

export type QuotaEvent =
  | {
      readonly type: 'QuotaSet';
      readonly data: {
        readonly merchant: string;
        /** Null: no limit. */
        readonly eventsPerMonth: number | null;
        /** Of the quota, on top of it. */
        readonly gracePercent: number;
        readonly policy: QuotaPolicy;
        /** Of the visitors, that `sample` takes. Absent in events that are older than it. */
        readonly samplePercent?: number;
      };
    }
  | {
      /** The installation's default holds again: as it was then. */
      readonly type: 'QuotaRemoved';
      readonly data: {
        readonly merchant: string;
        readonly eventsPerMonth: number | null;
        readonly gracePercent: number;
        readonly policy: QuotaPolicy;
      };
    }
  | {
      readonly type: 'QuotaWarned';
      readonly data: {
        readonly merchant: string;
        /** `2026-11`, of UTC. */
        readonly month: string;
        /** Of the quota, that were reached: 80, 100, or 100 and the grace. */
        readonly percent: number;
        /** As the node that noticed knew them. */
        readonly events: number;
        readonly eventsPerMonth: number;
      };
    }
  | {
      /** Quota and grace are used up: what becomes of events that occur from then on, unless it is raised. */
      readonly type: 'QuotaExceeded';
      readonly data: {
        readonly merchant: string;
        readonly month: string;
        readonly policy: Exclude<QuotaPolicy, 'refuse'>;
        /** ISO 8601: a whole hour of UTC, and the end of the month. */
        readonly from: string;
        readonly to: string;
        /** Of the visitors, that are still taken; null: all. */
        readonly samplePercent: number | null;
        /** Quota and grace that were used up. */
        readonly eventsMax: number;
        readonly events: number;
      };
    }
  | {
      /** What was hidden of a month is shown, and nothing more of it hidden. */
      readonly type: 'QuotaRevealed';
      readonly data: { readonly merchant: string; readonly month: string };
    };
