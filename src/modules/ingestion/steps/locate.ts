// The visitor's country, from the address that is about to be forgotten.
import type { Place } from '../../../events/tracked-event.js';
import type { Draft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';

export type PlaceOf = (address: string) => Place | undefined;

export const locate =
  (placeOf: PlaceOf): Step<Draft> =>
  ({ address, event }) => {
    if (address !== undefined) event.place = placeOf(address);
    return NEXT;
  };
