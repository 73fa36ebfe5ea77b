// What a step says of a draft. The reasons are closed lists: each is counted under its name, told
// to the client and documented, and each has a test.

/** Why an event is refused. Stable: clients may switch on it. */
export const REJECTION_REASONS = [
  'event_invalid',
  'site_required',
  'site_invalid',
  'site_unknown',
  'rate_limited',
  'quota_exceeded',
  'id_invalid',
  'name_invalid',
  'name_too_long',
  'url_required',
  'url_invalid',
  'url_too_long',
  'referrer_invalid',
  'title_invalid',
  'occurred_at_invalid',
  'props_invalid',
  'revenue_invalid',
  'interactive_invalid',
  'engagement_ms_invalid',
  'scroll_depth_invalid',
  'visitor_id_invalid',
  'previous_visitor_id_invalid',
  'user_id_invalid',
  'ip_invalid',
  'user_agent_invalid',
  'client_hints_invalid',
  'language_invalid',
  'screen_invalid',
  'text_invalid',
  'consent_invalid',
  'not_allowed',
  'origin_not_allowed',
  'excluded',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** Why an acceptable event is not kept. `not_counted`: another vendor's client says what Tidemark has no numbers for. */
export const DROP_REASONS = ['opted_out', 'no_consent', 'quota_sampled', 'not_counted'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export type Verdict =
  | { readonly verdict: 'next' }
  | { readonly verdict: 'dropped'; readonly reason: DropReason }
  | {
      readonly verdict: 'rejected';
      readonly reason: RejectionReason;
      readonly detail: string;
      /** Of what would be taken later. */
      readonly retryAfterSeconds?: number;
    };

/** The only `next` there is, so that going on allocates nothing and is compared by identity. */
export const NEXT: Verdict = { verdict: 'next' };

export const rejected = (
  reason: RejectionReason,
  detail: string,
  retryAfterSeconds?: number,
): Extract<Verdict, { verdict: 'rejected' }> => ({ verdict: 'rejected', reason, detail, retryAfterSeconds });

/** Synchronous and pure: lookups, salts and time arrive as arguments. */
export type Step<D> = (draft: D) => Verdict;
