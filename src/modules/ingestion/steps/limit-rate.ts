// A site's events beyond its rate are refused, first of all that costs something: whoever floods one site takes nothing
// from the others.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

/** Takes a token of the site's; until there is one, in seconds, or 0. */
export type SiteWait = (site: string, receivedAt: number) => number;

const DETAIL = 'more events of this site arrive than it may send: send this one again later';

export const limitRate =
  (waitSeconds: SiteWait): Step<Draft> =>
  ({ event, request }) => {
    const retryAfterSeconds = waitSeconds(event.site, request.receivedAt);
    return retryAfterSeconds === 0 ? NEXT : rejected('rate_limited', DETAIL, retryAfterSeconds);
  };
