// Segments: filters under a name. Checked as a query's are, and kept as they were sent.
import { z } from 'zod';
import { refuseOversized } from '../request/cost.js';
import { filterSchema } from '../request/filters.js';
import type { Segment } from '../vocabulary/site-definitions.js';
import { type Definition, type DefinitionRules, line, NAME_CHARACTERS_MAX } from './definition.js';

const SEGMENTS_MAX = 200;

const filters = z
  .array(z.unknown())
  .min(1, 'must hold at least one filter')
  .superRefine((given, context) => {
    // Before anything looks into the depth.
    refuseOversized({ filters: given });
    const checked = z.array(filterSchema).safeParse(given);
    for (const issue of checked.error?.issues ?? []) context.issues.push({ ...issue, input: given } as never);
    for (const path of checked.success ? segmentsIn(given, []) : []) {
      context.addIssue({ code: 'custom', path, message: 'must not name a segment: write its filters' });
    }
  })
  .meta({ description: 'As in a query. They may not name other segments.' });

/** Where filters name segments: values are text, so nothing else looks like such a comparison. */
function segmentsIn(node: unknown, path: readonly PropertyKey[]): PropertyKey[][] {
  if (!Array.isArray(node)) return [];
  if (node[1] === 'segment' && Array.isArray(node[2])) return [[...path, 1]];
  return node.flatMap((inner, index) => segmentsIn(inner, [...path, index]));
}

export const segments: DefinitionRules<'Segment'> = {
  kind: 'Segment',
  singular: 'segment',
  plural: 'segments',
  description: 'Filters under a name, which queries name by its id: `["is", "segment", ["<id>"]]`.',
  idPrefix: 'sg',
  itemsMax: SEGMENTS_MAX,
  body: z.strictObject({
    name: line(NAME_CHARACTERS_MAX).meta({ description: 'Unique in the site.' }),
    filters,
  }),
  examples: [
    {
      summary: 'Visits from two countries that came by a campaign',
      value: {
        name: 'Campaigns, DACH',
        filters: [
          ['is', 'visit:country', ['DE', 'AT', 'CH']],
          ['not', ['is', 'visit:utm_campaign', ['(not set)']]],
        ],
      },
    },
  ],
  orderOf: ({ name }) => name,
};

export const segmentOf = ({ id, fields }: Definition<'Segment'>): Segment => ({
  id,
  name: fields.name,
  filters: fields.filters,
});
