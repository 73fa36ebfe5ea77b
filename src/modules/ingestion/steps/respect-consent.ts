// Of a visitor who allows nothing, nothing is kept; that somebody was there is counted. A browser that
// says `Sec-GPC: 1` allows nothing; else the event says what its visitor allows, or the site what it
// takes its visitors to allow. A server's own requests carry no visitor's signal, and what it sends it
// has asked for.
import type { Draft } from '../draft.js';
import { NEXT, type Step, type Verdict } from '../verdict.js';

const OPTED_OUT: Verdict = { verdict: 'dropped', reason: 'opted_out' };
const NO_CONSENT: Verdict = { verdict: 'dropped', reason: 'no_consent' };

export const respectConsent =
  (): Step<Draft> =>
  ({ request, rules, input: { consent } }) => {
    if (request.server) return consent === 'none' ? NO_CONSENT : NEXT;
    if (request.optedOut) return OPTED_OUT;
    return (consent ?? rules.consentMode) === 'none' ? NO_CONSENT : NEXT;
  };
