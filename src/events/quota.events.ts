// What operators allow a merchant in a month, and of what it was warned. Stream `quota-{merchant}`: apart from the
// merchant's own, because intake writes to it, too.

/** What becomes of events beyond quota and grace. */
export type QuotaPolicy = 'refuse';

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
    };
