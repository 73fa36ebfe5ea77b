// Whose address is it? The one a server gives for its visitor, else the connection's, unless the
// event speaks for another visitor: then the connection's address says nothing.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';
import { speaksForAnother } from './check-fields.js';

/** One spelling for each address. Undefined: not an IP address. */
export type AddressOf = (text: string) => string | undefined;

export const settleAddress =
  (addressOf: AddressOf): Step<Draft> =>
  (draft) => {
    const { input, sender } = draft;
    if (input.ip === undefined) {
      if (!speaksForAnother(draft)) draft.address = addressOf(sender.address);
      return NEXT;
    }
    draft.address = addressOf(input.ip);
    return draft.address === undefined ? rejected('ip_invalid', 'ip must be an IPv4 or IPv6 address') : NEXT;
  };
