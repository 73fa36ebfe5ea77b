// `--expires 90d`, or a time: when something that is made now ends by itself.
import { usageError } from './failure.js';

/** From now, when the request is made. */
export type Expiry = (nowMs: number) => string;

const DAY_MS = 86_400_000;

export const EXPIRES = [
  '--expires <when>',
  'when it ends by itself: a number of days such as 90d, or an ISO 8601 time',
  expiry,
] as const;

/** A commander option parser. */
function expiry(text: string): Expiry {
  const [, days] = /^(\d{1,4})d$/.exec(text) ?? [];
  if (days !== undefined) return (nowMs) => new Date(nowMs + Number(days) * DAY_MS).toISOString();
  if (!Number.isNaN(Date.parse(text))) return () => text;
  throw usageError(`--expires ${text}: must be days such as 90d, or a time such as 2030-06-30T00:00:00Z`);
}
