// Orders as shops tell them: what was bought, as properties of the event, and what is paid back.
import { type Fields, isFields, number, text } from './fields.js';
import type { TranslatedEvent } from './vendor-format.js';

type Revenue = TranslatedEvent['revenue'];

const NAME_CHARACTERS_MAX = 200;

/** Of a list of products, in whichever of the usual words: how many pieces, and of what. */
export function linesOf(products: unknown): Fields {
  const lines = Array.isArray(products) ? products.filter(isFields) : [];
  if (lines.length === 0) return {};
  const all = (of: (line: Fields) => unknown): string =>
    [...new Set(lines.map((line) => text(of(line), NAME_CHARACTERS_MAX)).filter(Boolean))].join(', ');
  return {
    items: lines.reduce((sum, { quantity }) => sum + (number(quantity) ?? 1), 0),
    item_ids: all(({ item_id: item, product_id: product, sku, id }) => item ?? product ?? sku ?? id),
    item_names: all(({ item_name: item, name }) => item ?? name),
  };
}

/** As what goes back, whichever sign it came with. */
export function paidBack(revenue: Revenue): Revenue {
  if (revenue === undefined || String(revenue.amount).startsWith('-')) return revenue;
  return { ...revenue, amount: `-${revenue.amount}` };
}
