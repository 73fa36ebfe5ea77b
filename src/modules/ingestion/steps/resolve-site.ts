// First: whose event is it, and what does the site ask of it? A site that the key may not write to is answered exactly like one that
// does not exist.
import type { Draft, RequestFacts } from '../draft.js';
import type { SiteRules } from '../rules/site-rules.js';
import { NEXT, rejected, type Step } from '../verdict.js';

/** By id or domain, or as the clients of another vendor name it. Undefined also when the key may not write to it. */
export type FindSite = (
  name: string,
  request: Pick<RequestFacts, 'caller' | 'wire'>,
) =>
  | { readonly id: string; readonly merchant: string; readonly currency: string; readonly rules: SiteRules }
  | undefined;

export const resolveSite =
  (find: FindSite): Step<Draft> =>
  (draft) => {
    const { input, request } = draft;
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      return rejected('event_invalid', 'an event must be an object');
    }
    const named = input.site === undefined ? request.caller.site : input.site;
    if (input.site === undefined && named === null) {
      return rejected('site_required', 'name the site: the key is good for more than one');
    }
    if (typeof named !== 'string') return rejected('site_invalid', 'site must be a string');
    const site = find(named, request);
    if (site === undefined) return rejected('site_unknown', 'the key knows no such site');
    draft.event.site = site.id;
    draft.rules = site.rules;
    draft.merchant = site.merchant;
    draft.currency = site.currency;
    return NEXT;
  };
