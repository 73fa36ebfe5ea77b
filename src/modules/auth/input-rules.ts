// Rules for input that class-validator does not know, one decorator each.
import { ValidateBy, ValidateIf } from 'class-validator';
import { normaliseDomain } from './sites/domain.js';

const CURRENCIES = new Set(Intl.supportedValuesOf('currency'));
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;
const ZONE_CHARACTERS_MAX = 64;

/** Absent passes; null does not. */
export const IfGiven = () => ValidateIf((_, value) => value !== undefined);

export const IsSiteDomain = () =>
  rule('isSiteDomain', {
    holds: (value) => typeof value === 'string' && normaliseDomain(value) !== undefined,
    otherwise: 'must be a host name such as example.com, without port or path',
  });

export const IsTimezone = () =>
  rule('isTimezone', {
    holds: isTimezone,
    otherwise: 'must be an IANA time zone such as Europe/Vienna',
  });

export const IsCurrency = () =>
  rule('isCurrency', {
    holds: isCurrency,
    otherwise: 'must be an ISO 4217 currency such as EUR',
  });

/** Between `min` and `max` characters after trimming, none of them a control character or half a surrogate pair. */
export const IsLine = (max: number, each: 'each' | 'one' = 'one') =>
  ValidateBy(
    {
      name: 'isLine',
      validator: {
        validate: (value) => isLine(value, max),
        defaultMessage: ({ property } = {} as never) =>
          `${each === 'each' ? 'each of ' : ''}${property} must be text of 1 to ${max} characters without control characters`,
      },
    },
    { each: each === 'each' },
  );

const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** An ISO 8601 time with its zone, later than now, within `yearsMax` years. */
export const IsTimeToCome = (yearsMax: number) =>
  rule('isTimeToCome', {
    holds: (value) => isTimeToCome(value, yearsMax),
    otherwise: `must be a time to come, within ${yearsMax} years, such as 2030-06-30T00:00:00Z`,
  });

/** An ISO 8601 time with its zone. */
export const IsTime = () =>
  rule('isTime', { holds: isTime, otherwise: 'must be a time with its zone, such as 2026-11-21T10:00:00Z' });

function isTime(value: unknown): boolean {
  const [, date] = (typeof value === 'string' && TIME.exec(value)) || [];
  // 30 February would pass for 1 or 2 March.
  if (date === undefined || !new Date(date).toJSON()?.startsWith(date)) return false;
  return !Number.isNaN(Date.parse(value as string));
}

function isTimeToCome(value: unknown, yearsMax: number): boolean {
  if (!isTime(value)) return false;
  const now = new Date();
  const time = Date.parse(value as string);
  return time > now.getTime() && time <= now.setFullYear(now.getFullYear() + yearsMax);
}

interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly otherwise: string;
  /** Of every entry of a list. */
  readonly each?: boolean;
}

export function rule(name: string, { holds, otherwise, each = false }: Rule): PropertyDecorator {
  const validator = {
    validate: holds,
    defaultMessage: (about?: { readonly property: string }) =>
      `${each ? 'each of ' : ''}${about?.property} ${otherwise}`,
  };
  return ValidateBy({ name, validator }, { each });
}

const INVITATION_TOKEN = /^[\w-]{1,64}\.[\w-]{1,64}\.\w{1,64}$/;

export const IsInvitationToken = () =>
  rule('isInvitationToken', {
    holds: (value) => typeof value === 'string' && INVITATION_TOKEN.test(value),
    otherwise: 'is none that was sent',
  });

export const isCurrency = (value: unknown): boolean => typeof value === 'string' && CURRENCIES.has(value);

function isTimezone(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > ZONE_CHARACTERS_MAX || !ZONE_NAME.test(value)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

export function isLine(value: unknown, max: number): boolean {
  if (typeof value !== 'string' || value.length > max || value.trim() === '') return false;
  return !/[\p{Cc}\p{Cs}]/u.test(value);
}
