// The visitor's id: a hash of address, user agent and site under the day's secret salt, so that it
// cannot be linked over days or sites once the salt is deleted; or, where the key may give one, a
// hash of the client's own id. For 30 minutes after the salt changed the event also carries the id
// under the previous salt, so that a session survives the change.
import type { Draft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';

/** SHA-256, as hexadecimal. */
export type Hash = (text: string) => string;

const VISITOR_DIGITS = 16;

export const identifyVisitor = (hash: Hash): Step<Draft> => {
  const given = (site: string, id: string) =>
    hash(`tidemark visitor\0${site}\0${id}`).slice(0, VISITOR_DIGITS);

  return ({ input, request, address, event }) => {
    if (input.visitorId !== undefined) {
      event.visitor = given(event.site, input.visitorId);
      event.visitorGiven = true;
      if (input.previousVisitorId !== undefined && input.previousVisitorId !== input.visitorId) {
        event.previousVisitor = given(event.site, input.previousVisitorId);
      }
      return NEXT;
    }
    const seen = `\0${event.site}\0${address ?? ''}\0${event.userAgent ?? ''}`;
    const { current, previous } = request.salts;
    event.visitor = hash(current + seen).slice(0, VISITOR_DIGITS);
    if (previous !== undefined) event.previousVisitor = hash(previous + seen).slice(0, VISITOR_DIGITS);
    return NEXT;
  };
};
