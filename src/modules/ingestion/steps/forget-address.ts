// The line after which nobody can see the visitor's address: it is taken out of the draft together
// with everything that might still hold it.
import type { Draft, NativeEvent, Sender } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';

const NO_INPUT: NativeEvent = Object.freeze({});
const NO_SENDER: Sender = Object.freeze({
  address: '',
  userAgent: undefined,
  clientHints: undefined,
  language: undefined,
  origin: undefined,
});

export const forgetAddress = (): Step<Draft> => (draft) => {
  draft.address = undefined;
  draft.input = NO_INPUT;
  draft.sender = NO_SENDER;
  return NEXT;
};
