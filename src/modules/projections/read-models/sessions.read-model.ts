// What whoever reads session rows may rely on, besides the columns declared by the projection.

/**
 * No session lasts longer: a piece ends after at most 36 hours, and one piece that began less than
 * 12 hours earlier may be continued by a second. So the sessions active in [from, to) are found by
 * `started_at < to AND started_at >= from - this AND ended_at >= from`.
 */
export const SESSION_DURATION_MAX_MS = 48 * 3_600_000;
