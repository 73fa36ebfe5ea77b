// What vendors' clients send, made fit for a native event: other limits than ours are no reason to lose an
// event, so text is cut and what cannot be kept left out, where its vendor would do the same.
import { Problem } from '../../../../http/problem.js';
import { parseJson } from '../../../../http/body.js';
import type { PropertyValue } from '../../../../events/tracked-event.js';
import type { NativeEvent } from '../../draft.js';

export type Fields = Readonly<Record<string, unknown>>;
type Props = NonNullable<NativeEvent['props']>;

export const PROPS_MAX = 30;
const KEY_CHARACTERS_MAX = 300;
const VALUE_CHARACTERS_MAX = 2_000;
const NOT_KEYS = new Set(['__proto__', 'constructor', 'prototype']);
// With the flag u a surrogate pair is one character: the class matches lone surrogates only.
const UNSTORABLE = /[\0\uD800-\uDFFF]/gu;

/** Lengths at which text is cut, by the field of a native event. */
export const LENGTHS = {
  id: 64,
  name: 120,
  referrer: 2_048,
  title: 512,
  visitorId: 256,
  userId: 256,
  language: 35,
  screen: 32,
} as const;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** Text or a number as text, cut; undefined where there is none. */
export function text(value: unknown, charactersMax: number): string | undefined {
  const given = typeof value === 'number' ? String(value) : value;
  if (typeof given !== 'string' || given === '') return undefined;
  return given.slice(0, charactersMax);
}

/** The same for what must come back as it was sent, and be kept. */
export function identifier(value: unknown, charactersMax: number): string | undefined {
  return text(text(value, charactersMax)?.replace(UNSTORABLE, ''), charactersMax);
}

/** A number, also one that is text. */
export function number(value: unknown): number | undefined {
  const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof given === 'number' && Number.isFinite(given) ? given : undefined;
}

export function wholeNumber(value: unknown, max: number): number | undefined {
  const given = number(value);
  return given === undefined || given < 0 ? undefined : Math.min(Math.round(given), max);
}

/** Undefined: no sum of money in a currency. */
export function revenueOf(amount: unknown, currency: unknown): NativeEvent['revenue'] {
  const isSum = number(amount) !== undefined;
  if (!isSum || typeof currency !== 'string' || !/^[A-Za-z]{3}$/.test(currency)) return undefined;
  return { amount: amount as string | number, currency };
}

/**
 * Those that a native event can have: scalars, at most thirty, keys and values cut; empty ones are left out. Of
 * a list of scalars its text, of anything deeper JSON.
 */
export function propsOf(fields: Fields): Props | undefined {
  const props: Record<string, PropertyValue> = {};
  let kept = 0;
  for (const [key, value] of Object.entries(fields)) {
    if (kept === PROPS_MAX) break;
    const name = identifier(key, KEY_CHARACTERS_MAX);
    const scalar = scalarOf(value);
    if (name === undefined || scalar === undefined || NOT_KEYS.has(name)) continue;
    props[name] = scalar;
    kept++;
  }
  return kept === 0 ? undefined : props;
}

function scalarOf(value: unknown): PropertyValue | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return canBeExact(value) ? value : String(value);
  if (typeof value === 'object' && value !== null) {
    const flat = Array.isArray(value) && value.every((one) => typeof one !== 'object');
    return text(flat ? value.join(', ') : JSON.stringify(value), VALUE_CHARACTERS_MAX);
  }
  return text(value, VALUE_CHARACTERS_MAX);
}

const canBeExact = (value: number): boolean =>
  Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));

/**
 * A body that is JSON and an object.
 * @throws Problem 400
 */
export function objectIn(body: string): Fields {
  const value = jsonIn(body);
  if (!isFields(value)) throw Problem.badRequest('The body must be a JSON object.');
  return value;
}

/** @throws Problem 400 */
export function jsonIn(body: string): unknown {
  if (body.trim() === '') throw Problem.badRequest('The body is empty: send JSON.');
  return parseJson(body);
}

/** Decoded, also where it is in the alphabet for URLs. Node passes over what is not base64. */
export const textOfBase64 = (encoded: string): string => Buffer.from(encoded, 'base64').toString('utf8');

/**
 * The client's clock is wrong by what lies between its sending and our receipt: the moment of an event by our
 * own clock, as epoch milliseconds. Without a time of sending the client's word.
 */
export function momentOf(
  occurredAt: number | undefined,
  sentAt: number | undefined,
  receivedAt: number,
): number | undefined {
  if (occurredAt === undefined || sentAt === undefined) return occurredAt;
  return receivedAt - (sentAt - occurredAt);
}

/** Epoch milliseconds of an ISO 8601 text, or of a number of milliseconds. */
export function millisecondsOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.floor(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const parsed = Date.parse(value);
  return Number.isNaN(parsed) ? undefined : parsed;
}
