// Annotations: what happened on a day, or from one day to another, as people shall read it beside a chart.
import { z } from 'zod';
import type { AnnotationFields } from '../../../events/definition.events.js';
import { day, type DefinitionRules } from './definition.js';

const ANNOTATIONS_MAX = 2_000;
const TEXT_CHARACTERS_MAX = 500;

const text = z
  .string()
  .max(TEXT_CHARACTERS_MAX)
  .refine((value) => value.trim() !== '', 'must not be empty')
  .refine((value) => !/[^\P{Cc}\n\t]/u.test(value), 'must not hold control characters but line breaks');

const body = z
  .strictObject({
    date: day.optional().meta({ description: 'Instead of `from` and `to`: one day.' }),
    from: day.optional().meta({ description: "First day, in the site's time zone." }),
    to: day.optional().meta({ description: 'Last day; it is included.' }),
    text,
  })
  .superRefine(({ date, from, to }, context) => {
    const refuse = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (date !== undefined) {
      if (from !== undefined || to !== undefined) refuse('date', 'give a date, or from and to, not both');
    } else if (from === undefined && to === undefined) refuse('date', 'give a date, or from and to');
    else if (from === undefined) refuse('from', 'is needed with to');
    else if (to === undefined) refuse('to', 'is needed with from');
    else if (to < from) refuse('to', 'must not lie before from');
  })
  .transform(({ date, from, to, text }): AnnotationFields => ({
    from: (date ?? from)!,
    to: (date ?? to)!,
    text,
  }));

export const annotations: DefinitionRules<'Annotation'> = {
  kind: 'Annotation',
  singular: 'annotation',
  plural: 'annotations',
  description: 'What happened on a day, or from one day to another.',
  idPrefix: 'a',
  itemsMax: ANNOTATIONS_MAX,
  body,
  answer: z.strictObject({ from: day, to: day, text }),
  examples: [
    {
      summary: 'Of several days',
      value: { from: '2026-11-23', to: '2026-11-27', text: 'Sale: 20 % off everything' },
    },
    { summary: 'Of one day', value: { date: '2026-11-21', text: 'New shop front' } },
  ],
  orderOf: ({ from }) => from,
  merged: (shown, change) => {
    const { text, ...days } = shown;
    return 'date' in change ? { text, ...change } : { text, ...days, ...change };
  },
  isWithin: (fields, { from = '', to = '9999-99-99' }) => fields.from <= to && fields.to >= from,
};
