// A merchant, the owner of sites: what its stream folds to, and the event that makes one. Pure.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent } from '../../../events/merchant.events.js';
import type { Fold } from '../aggregate.js';

/** Owns what the operator creates; registered at first boot. */
export const OPERATORS_MERCHANT = 'default';

export type MerchantState = { readonly id: string; readonly name: string } | 'absent';

export const merchantStream = (id: string): string => `merchant-${id}`;

export const merchantFold: Fold<MerchantState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & MerchantEvent;
    if (event.type !== 'MerchantRegistered') return state;
    return { id: event.data.merchant, name: event.data.name };
  },
};

export const registerMerchant = (merchant: string, name: string): MerchantEvent => ({
  type: 'MerchantRegistered',
  data: { merchant, name },
});
