// What whoever reads session rows may rely on, besides the columns declared by the projection.

/**
 * No session lasts longer: a piece ends after at most 36 hours, and one piece that began less than
 * 12 hours earlier may be continued by a second. So the sessions active in [from, to) are found by
 * `started_at < to AND started_at >= from - this AND ended_at >= from`.
 */
export const SESSION_DURATION_MAX_MS = 48 * 3_600_000;

/**
 * The few sessions that last longer have an index by site and end. Who asks for the sessions of the last
 * minutes looks there for those that began earlier, and need not read two days of sessions to find them.
 */
export const LONG_SESSION_MS = 2 * 3_600_000;

/** As the index says it, so that PostgreSQL knows its own. */
export const LONG_SESSION_SQL = `ended_at - started_at > interval '2 hours'`;
