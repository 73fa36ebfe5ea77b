// A browser that says `Sec-GPC: 1` is not tracked; that it was there is counted, nothing else. A
// server's own requests carry no visitor's signal.
import type { Draft } from '../draft.js';
import { NEXT, type Step, type Verdict } from '../verdict.js';

const OPTED_OUT: Verdict = { verdict: 'dropped', reason: 'opted_out' };

export const respectConsent =
  (): Step<Draft> =>
  ({ request }) =>
    request.optedOut && !request.server ? OPTED_OUT : NEXT;
