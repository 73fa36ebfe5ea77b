// What Google's clients say of an event beside its name: parameters. Sums of money become revenue, the lines of
// an order properties; what names the page or the session is not a property.
import type { TranslatedEvent } from './vendor-format.js';
import { type Fields, propsOf, revenueOf } from './fields.js';
import { linesOf, paidBack } from './orders.js';

/** Of the events of a shop, those whose `value` somebody pays; refunds are paid back. */
const PAID: Readonly<Record<string, 1 | -1>> = { purchase: 1, in_app_purchase: 1, refund: -1 };

/** Said elsewhere in a native event, or about Google's own sessions. */
const NOT_PROPERTIES = new Set([
  ...['page_location', 'page_referrer', 'page_title', 'page_path', 'language', 'screen_resolution'],
  ...['engagement_time_msec', 'session_id', 'session_number', 'session_engaged', 'debug_mode'],
  ...['value', 'currency', 'items', 'timestamp_micros'],
]);

export function propertiesOf(parameters: Fields): TranslatedEvent['props'] {
  const own = Object.entries(parameters).filter(([name]) => !NOT_PROPERTIES.has(name));
  // A value that nobody pays yet (of a cart, of a lead) is worth a property.
  return propsOf({
    ...Object.fromEntries(own),
    ...(parameters.value !== undefined && { value: parameters.value }),
    ...(parameters.currency !== undefined && { currency: parameters.currency }),
    ...linesOf(parameters.items),
  });
}

export function paidBy(name: string, parameters: Fields): TranslatedEvent['revenue'] {
  const sign = PAID[name];
  if (sign === undefined) return undefined;
  const revenue = revenueOf(parameters.value, parameters.currency);
  return sign === 1 ? revenue : paidBack(revenue);
}
