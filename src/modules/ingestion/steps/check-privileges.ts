// A key that may be public in a page must not speak for other visitors. Of its own visitor a page may
// say who it is where the site's consent mode and the visitor allow ids that last.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step, type Verdict } from '../verdict.js';

const NO_LASTING_ID = rejected('not_allowed', 'visitorId contradicts the consent that the event names');

export const checkPrivileges = (): Step<Draft> => (draft) => {
  const { request, input } = draft;
  const namesVisitor = input.visitorId !== undefined || input.previousVisitorId !== undefined;
  if (namesVisitor && !mayNameVisitor(draft)) {
    if (input.consent === 'cookieless') return NO_LASTING_ID;
    const field = input.visitorId === undefined ? 'previousVisitorId' : 'visitorId';
    return ofServers(field, ", or full consent (the site's consentMode)");
  }
  if (request.server) return NEXT;
  if (input.userId !== undefined) return ofServers('userId');
  if (input.ip !== undefined) return ofServers('ip');
  if (input.clientHints !== undefined) return ofServers('clientHints');
  return input.userAgent === undefined ? NEXT : ofServers('userAgent');
};

/** By an id that lasts. */
export function mayNameVisitor({ request, input, rules }: Draft): boolean {
  if (input.consent === 'cookieless') return false;
  if (request.server) return true;
  return rules.consentMode !== 'cookieless' && (input.consent ?? rules.consentMode) === 'full';
}

const ofServers = (field: string, otherwise = ''): Verdict =>
  rejected('not_allowed', `${field} needs a key of scope ingest:server${otherwise}`);
