// A public key can be copied from a page. Where a site names the hosts whose pages are its own, a browser's
// event from elsewhere is refused: browsers do not let a page choose its Origin. Whoever writes requests by
// hand can, so this keeps other people's pages out, not attackers.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

const NOT_ALLOWED = rejected(
  'origin_not_allowed',
  'the site allows events with this key from pages of its own hosts only (allowedOrigins)',
);

export const checkOrigin =
  (): Step<Draft> =>
  ({ rules: { allowsOrigin }, request, sender: { origin } }) => {
    if (allowsOrigin === undefined || request.server) return NEXT;
    return origin !== undefined && URL.canParse(origin) && allowsOrigin(new URL(origin).hostname)
      ? NEXT
      : NOT_ALLOWED;
  };
