// Amounts of money as Plausible's clients show them: the number, and two texts to print as they are. A
// revenue goal that nobody reached earned nothing in its currency; without one there is no amount.
import type { Goal } from '../../vocabulary/goal.js';

export interface Amount {
  readonly value: number;
  /** ISO 4217. */
  readonly currency: string;
}

export interface PrintedAmount extends Amount {
  /** `€1.4M` */
  readonly short: string;
  /** `€1,370,110.00` */
  readonly long: string;
}

const LOCALE = 'en-US';

export function printed({ value, currency }: Amount): PrintedAmount {
  const format = (options: Intl.NumberFormatOptions) =>
    new Intl.NumberFormat(LOCALE, { style: 'currency', currency, ...options }).format(value);
  return {
    value,
    currency,
    short: format({ notation: 'compact', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    long: format({}),
  };
}

interface GoalsAsked {
  readonly dimensions: readonly string[];
  /** As requests write them. */
  readonly filters: readonly unknown[];
}

export interface RevenueCurrencies {
  /** Of a row with these dimensions; null: it has none, or several. */
  readonly of: (this: void, dimensions: readonly string[]) => string | null;
  /** Goals are asked for, and none of them has revenue. */
  readonly none: boolean;
}

const GOAL = 'event:goal';

export function revenueCurrencies(
  { dimensions, filters }: GoalsAsked,
  goals: readonly Goal[],
): RevenueCurrencies {
  const column = dimensions.indexOf(GOAL);
  const goalFilters = (filters as readonly GoalFilter[]).filter(([, dimension]) => dimension === GOAL);
  if (column === -1 && goalFilters.length === 0) return { of: () => null, none: false };
  const asked = goals.filter(({ name }) => goalFilters.every((filter) => isNamed(name, filter)));
  const currencies = new Set(asked.flatMap(({ currency }) => currency ?? []));
  const single = currencies.size === 1 ? [...currencies][0]! : null;
  return {
    of: (row) =>
      column === -1 ? single : (asked.find(({ name }) => name === row[column])?.currency ?? null),
    none: currencies.size === 0,
  };
}

type GoalFilter = readonly [string, unknown, readonly string[], { readonly case_sensitive?: boolean }?];

function isNamed(name: string, [operator, , values, options]: GoalFilter): boolean {
  const folded = (text: string) => (options?.case_sensitive === false ? text.toLowerCase() : text);
  const named = values.some((value) =>
    operator === 'contains' ? folded(name).includes(folded(value)) : folded(name) === folded(value),
  );
  return operator === 'is_not' ? !named : named;
}
