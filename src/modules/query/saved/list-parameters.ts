// What lists of definitions can be asked for.
import { z } from 'zod';
import type { DefinitionKind } from '../../../events/definition.events.js';
import { parsedBy } from '../request/parsed-by.js';
import { day, type DefinitionRules } from './definition.js';

const PAGE_ITEMS = 100;
const PAGE_ITEMS_MAX = 1_000;

const A_LIMIT = `must be a whole number from 1 to ${PAGE_ITEMS_MAX}`;

const PAGE = {
  limit: z.coerce
    .number(A_LIMIT)
    .int(A_LIMIT)
    .min(1, A_LIMIT)
    .max(PAGE_ITEMS_MAX, A_LIMIT)
    .default(PAGE_ITEMS)
    .meta({ description: 'How many at most.' }),
  cursor: z.string().optional().meta({ description: 'The next_cursor of the page before.' }),
};
const DAYS = {
  from: day.optional().meta({ description: 'Only of this day or later.' }),
  to: day.optional().meta({ description: 'Only of this day or earlier.' }),
};

const page = z.strictObject(PAGE);
const pageOfDays = z.strictObject({ ...PAGE, ...DAYS });

export const listSchemaOf = <Kind extends DefinitionKind>(rules: DefinitionRules<Kind>) =>
  rules.isWithin === undefined ? page : pageOfDays;

/** @throws Problem 400 */
export const listParameters = <Kind extends DefinitionKind>(
  rules: DefinitionRules<Kind>,
  query: unknown,
): z.output<typeof pageOfDays> => parsedBy<z.output<typeof pageOfDays>>(listSchemaOf(rules), query);
