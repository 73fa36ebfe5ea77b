// All that a site's people defined: what its stream folds to, and the event that a wish leads to, or why
// it cannot be. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { RecordedEvent, Revision } from '../../../event-store/event-store.js';
import type { DefinitionEvent, DefinitionFields, DefinitionKind } from '../../../events/definition.events.js';
import { invalidRequest, parsedBy } from '../request/parsed-by.js';
import { isText, NOT_TEXT } from '../request/text.js';
import type { Definition, DefinitionRules, Definitions } from './definition.js';

/** Every node holds all definitions in memory. */
const CHARACTERS_MAX = 32_768;

export interface DefinitionsState {
  readonly definitions: Definitions;
  readonly revision: Revision | 'none';
}

export const NO_DEFINITIONS: DefinitionsState = {
  definitions: { Goal: new Map(), Segment: new Map(), Funnel: new Map(), Annotation: new Map() },
  revision: 'none',
};

const STREAM_PREFIX = 'definitions-';
const TYPE = new RegExp(`^(${Object.keys(NO_DEFINITIONS.definitions).join('|')})(Created|Changed|Deleted)$`);

export const definitionsStream = (site: string): string => `${STREAM_PREFIX}${site}`;

/** Undefined: of another stream. */
export const siteOfDefinitions = ({ stream }: RecordedEvent): string | undefined =>
  stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined;

export function evolveDefinitions(
  { definitions }: DefinitionsState,
  { type, data, recordedAt, revision }: RecordedEvent,
): DefinitionsState {
  const [, kind, what] = (TYPE.exec(type) ?? []) as [string?, DefinitionKind?, string?];
  if (kind === undefined) return { definitions, revision };
  const { site: _, id, ...fields } = data as { site: string; id: string };
  const ofKind = new Map<string, unknown>(definitions[kind]);
  if (what === 'Deleted') ofKind.delete(id);
  else {
    const createdAt = definitions[kind].get(id)?.createdAt ?? recordedAt;
    ofKind.set(id, { id, fields, createdAt, revision });
  }
  return { definitions: { ...definitions, [kind]: ofKind }, revision };
}

export type Wish =
  | { readonly wish: 'create'; readonly id: string; readonly body: object }
  | {
      readonly wish: 'change';
      readonly id: string;
      /** Fields that differ; null takes one away. */
      readonly body: object;
      readonly expected: Revision | 'any';
    }
  | { readonly wish: 'delete'; readonly id: string; readonly expected: Revision | 'any' };

export type Refusal =
  | { readonly refused: 'unknown' }
  | { readonly refused: 'revision-differs'; readonly actual: Revision }
  | { readonly refused: 'conflict'; readonly reason: string };

/** The event is null where everything is as wished already. */
export type Decision = { readonly event: DefinitionEvent | null } | Refusal;

export interface DefinitionWish<Kind extends DefinitionKind> {
  readonly site: string;
  readonly rules: DefinitionRules<Kind>;
  readonly wish: Wish;
}

/** @throws Problem 400 naming every path that is wrong, 422 where filters are too many to look at. */
export function decide<Kind extends DefinitionKind>(
  definitions: Definitions,
  { site, rules, wish }: DefinitionWish<Kind>,
): Decision {
  const { kind, itemsMax, plural } = rules;
  const ofKind: ReadonlyMap<string, Definition<Kind>> = definitions[kind];
  const event = (what: string, fields?: DefinitionFields[Kind]) =>
    ({ type: `${kind}${what}`, data: { site, id: wish.id, ...fields } }) as unknown as DefinitionEvent;

  if (wish.wish === 'create') {
    // Created when the same request was sent before.
    if (ofKind.has(wish.id)) return { event: null };
    if (ofKind.size >= itemsMax) return conflict(`The site has ${itemsMax} ${plural}, the most that it may.`);
    const fields = settledFields(rules, definitions, wish.body);
    return refusedName({ id: wish.id, fields }, rules, ofKind) ?? { event: event('Created', fields) };
  }

  const current = ofKind.get(wish.id);
  if (current === undefined) return { refused: 'unknown' };
  if (wish.expected !== 'any' && wish.expected !== current.revision) {
    return { refused: 'revision-differs', actual: current.revision };
  }
  if (wish.wish === 'delete') {
    const reason = rules.keptBy?.(wish.id, definitions);
    return reason === undefined ? { event: event('Deleted') } : conflict(reason);
  }

  refuseFixedFields(wish.body, rules);
  const shown = rules.shown?.(current.fields, definitions) ?? current.fields;
  const merged = rules.merged?.(shown, wish.body) ?? { ...shown, ...wish.body };
  const given = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  const fields = settledFields(rules, definitions, given);
  if (isDeepStrictEqual(fields, current.fields)) return { event: null };
  return refusedName({ id: wish.id, fields }, rules, ofKind) ?? { event: event('Changed', fields) };
}

const conflict = (reason: string): Refusal => ({ refused: 'conflict', reason });

/** @throws Problem 400 */
function refuseFixedFields<Kind extends DefinitionKind>(
  body: object,
  { changeable }: DefinitionRules<Kind>,
): void {
  const fixed = Object.keys(body).filter((field) => changeable && !changeable.includes(field));
  const message = `cannot be changed, only ${changeable?.join(' and ')} can`;
  if (fixed.length > 0) throw invalidRequest(fixed.map((path) => ({ path, message })));
}

/** Checked, with ids for names, as they are kept. */
function settledFields<Kind extends DefinitionKind>(
  rules: DefinitionRules<Kind>,
  definitions: Definitions,
  body: object,
): DefinitionFields[Kind] {
  const fields = parsedBy(rules.body.superRefine(refuseUnstorable), body);
  return rules.linked?.(fields, definitions) ?? fields;
}

function refusedName<Kind extends DefinitionKind>(
  { id, fields }: Pick<Definition<Kind>, 'id' | 'fields'>,
  { singular }: DefinitionRules<Kind>,
  others: ReadonlyMap<string, Definition<Kind>>,
): Refusal | undefined {
  const name = nameIn(fields);
  const isTaken = [...others.values()].some((other) => other.id !== id && nameIn(other.fields) === name);
  if (name === undefined || !isTaken) return undefined;
  return conflict(`The site has a ${singular} named ${JSON.stringify(name)} already.`);
}

const nameIn = (fields: object): string | undefined => ('name' in fields ? String(fields.name) : undefined);

function refuseUnstorable(fields: unknown, context: z.RefinementCtx): void {
  const refuse = (path: PropertyKey[], message: string) => {
    context.addIssue({ code: 'custom', path, message });
  };
  const look = (value: unknown, path: PropertyKey[]): void => {
    if (typeof value === 'string') {
      // PostgreSQL's JSON cannot hold it.
      if (!isText(value)) refuse(path, NOT_TEXT);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (!Array.isArray(value)) look(key, [...path, key]);
        look(inner, [...path, Array.isArray(value) ? Number(key) : key]);
      }
    }
  };
  look(fields, []);
  if (JSON.stringify(fields).length > CHARACTERS_MAX) {
    refuse([], `must have at most ${CHARACTERS_MAX} characters in all`);
  }
}
