// What the clients of other vendors always say, whether they may or not: an id of the visitor, a user, an
// address, a browser. Where it does not count they are not refused, as their vendors would not: it is left out, and the
// visitor known as one without a client's id. Sums without a currency, as Matomo's, are in the site's.
import type { Draft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';
import { mayNameVisitor } from './check-privileges.js';

export const ignoreClaims = (): Step<Draft> => (draft) => {
  const { request, input, currency } = draft;
  if (request.wire === 'native') return NEXT;
  const { visitorId, previousVisitorId, userId, ip, userAgent, clientHints, revenue, ...rest } = input;
  draft.input = {
    ...rest,
    ...(mayNameVisitor(draft) && { visitorId, previousVisitorId }),
    ...(request.server && { userId, ip, userAgent, clientHints }),
    ...(revenue && { revenue: revenue.currency === '' ? { ...revenue, currency } : revenue }),
  };
  return NEXT;
};
