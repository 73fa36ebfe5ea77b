// What the clients of other vendors always say, whether they may or not: an id of the visitor, a user, an
// address. Where it does not count they are not refused, as their vendors would not: it is left out, and the
// visitor known as one without a client's id.
import type { Draft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';
import { mayNameVisitor } from './check-privileges.js';

export const ignoreClaims = (): Step<Draft> => (draft) => {
  const { request, input } = draft;
  if (request.wire === 'native') return NEXT;
  const { visitorId, previousVisitorId, userId, ip, userAgent, ...rest } = input;
  const named = mayNameVisitor(draft) ? { visitorId, previousVisitorId } : undefined;
  draft.input = { ...rest, ...named, ...(request.server && { userId, ip, userAgent }) };
  return NEXT;
};
