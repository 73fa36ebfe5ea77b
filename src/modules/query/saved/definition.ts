// What the kinds of things that a site's people define have in common, and the rules in which they differ:
// one short file each (goals, segments, funnels, annotations); all else is written once.
import { z } from 'zod';
import type { Revision } from '../../../event-store/event-store.js';
import type { DefinitionFields, DefinitionKind } from '../../../events/definition.events.js';
import { isLine } from '../../auth/input-rules.js';

export interface Definition<Kind extends DefinitionKind> {
  readonly id: string;
  readonly fields: DefinitionFields[Kind];
  readonly createdAt: Date;
  /** Of the stream, when this one was last changed. */
  readonly revision: Revision;
}

/** All of one site, each kind in the order in which they were made. */
export type Definitions = { readonly [Kind in DefinitionKind]: ReadonlyMap<string, Definition<Kind>> };

export interface DefinitionRules<Kind extends DefinitionKind> {
  readonly kind: Kind;
  readonly singular: string;
  /** Last part of its path, and the key of its lists. */
  readonly plural: string;
  readonly description: string;
  readonly idPrefix: string;
  /** Of one site. */
  readonly itemsMax: number;
  /** The check of what is sent, and what is shown then. */
  readonly body: z.ZodType<DefinitionFields[Kind]>;
  /** What is shown, where that differs from what may be sent. */
  readonly answer?: z.ZodType;
  /** What a change may name; absent: everything. */
  readonly changeable?: readonly string[];
  /** Bodies and the answer of the first, for the OpenAPI document. */
  readonly examples: readonly [Example, ...Example[]];

  /** What lists are ordered by. */
  orderOf(fields: DefinitionFields[Kind]): string;
  /** What is shown with a change laid upon it, yet to be checked. Absent: field by field. */
  merged?(shown: DefinitionFields[Kind], change: object): object;
  /**
   * From names, as they are sent and shown, to ids, as they are kept. Absent: it names nothing.
   * @throws Problem 400 where something named is not there
   */
  linked?(fields: DefinitionFields[Kind], definitions: Definitions): DefinitionFields[Kind];
  /** The way back. */
  shown?(fields: DefinitionFields[Kind], definitions: Definitions): DefinitionFields[Kind];
  /** Why this one cannot go. Absent: it always can. */
  keptBy?(id: string, definitions: Definitions): string | undefined;
  /** Makes lists of days from and to possible, both included. */
  isWithin?(fields: DefinitionFields[Kind], days: Days): boolean;
}

interface Example {
  readonly summary: string;
  readonly value: object;
}

export interface Days {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const NAME_CHARACTERS_MAX = 120;

export const line = (charactersMax: number) =>
  z
    .string()
    .refine(
      (value) => isLine(value, charactersMax),
      `must be text of 1 to ${charactersMax} characters without control characters`,
    )
    .meta({ minLength: 1, maxLength: charactersMax });

export const day = z.iso.date('must be a date such as 2026-11-01');
