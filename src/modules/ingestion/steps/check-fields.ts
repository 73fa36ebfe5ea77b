// Checks every field against the schema and copies those that need no further thought into the
// event. Free text that PostgreSQL could not store (NUL, lone surrogates: titles cut in the middle
// of an emoji) is repaired; in identifiers the schema refuses it. Numbers become canonical.
import type { ClientHints, PropertyValue, Revenue } from '../../../events/tracked-event.js';
import type { Draft, NativeEvent } from '../draft.js';
import type { FieldCheck } from '../native-event.schema.js';
import { NEXT, rejected, type Step } from '../verdict.js';

const USER_AGENT_CHARACTERS_MAX = 512;

export const checkFields =
  (check: FieldCheck): Step<Draft> =>
  (draft) => {
    const { input, request, event } = draft;
    const fault = check(input);
    if (fault) return rejected(fault.reason, fault.detail);
    // Servers that send in another vendor's format have no page, and often no place for a key.
    const needsPage = request.wire === 'native' || (input.name ?? 'pageview') === 'pageview';
    if (input.url === undefined && needsPage && !request.server) {
      return rejected('url_required', 'url may be absent only with a key of scope ingest:server');
    }
    if (input.props !== undefined) {
      const key = canonicalise(input.props);
      if (key !== undefined) {
        return rejected(
          'props_invalid',
          'a property is too large to be exact as a number: send it as a string',
        );
      }
      event.props = input.props;
    }
    if (input.revenue !== undefined) {
      event.revenue = revenueOf(input.revenue);
      if (event.revenue === undefined) {
        return rejected(
          'revenue_invalid',
          'revenue.amount must be decimal, with at most 12 digits before the point and 6 after it',
        );
      }
    }
    event.id = input.id ?? '';
    draft.idGiven = input.id !== undefined;
    event.name = input.name ?? 'pageview';
    event.userId = input.userId;
    event.title = storable(input.title);
    event.screen = storable(input.screen);
    event.engagementMs = input.engagementMs;
    event.scrollDepth = input.scrollDepth;
    if (input.interactive === false) event.interactive = false;
    const speaker = speaksForAnother(draft) ? undefined : draft.sender;
    event.userAgent = storable((input.userAgent ?? speaker?.userAgent)?.slice(0, USER_AGENT_CHARACTERS_MAX));
    event.clientHints = storableHints(input.clientHints ?? speaker?.clientHints);
    event.language = storable(input.language ?? speaker?.language);
    return NEXT;
  };

/** Then the connection's own address and agent say nothing of the visitor. A page speaks for its own. */
export const speaksForAnother = ({ request, input }: Pick<Draft, 'request' | 'input'>): boolean =>
  request.server &&
  (input.ip !== undefined ||
    input.userAgent !== undefined ||
    input.clientHints !== undefined ||
    input.visitorId !== undefined);

// With the flag u a surrogate pair is one character: the class matches lone surrogates only.
const UNSTORABLE = /[\0\uD800-\uDFFF]/u;
const EVERY_UNSTORABLE = /[\0\uD800-\uDFFF]/gu;

function storable(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  return UNSTORABLE.test(text) ? text.replace(EVERY_UNSTORABLE, '\uFFFD') : text;
}

/** A server may send headers that were empty, or an object of its own with more in it. */
function storableHints(hints: ClientHints | undefined): ClientHints | undefined {
  if (hints === undefined) return undefined;
  const kept: ClientHints = {
    brands: hints.fullVersions ? undefined : storable(hints.brands),
    fullVersions: storable(hints.fullVersions),
    platform: storable(hints.platform),
    platformVersion: storable(hints.platformVersion),
    mobile: storable(hints.mobile),
    model: storable(hints.model),
  };
  return Object.values(kept).some((hint) => hint !== undefined) ? kept : undefined;
}

/** In place. The key of a number that JSON cannot have carried exactly; else undefined. */
function canonicalise(props: Record<string, PropertyValue>): string | undefined {
  for (const key in props) {
    const value = props[key]!;
    if (typeof value === 'string') {
      if (UNSTORABLE.test(value)) props[key] = value.replace(EVERY_UNSTORABLE, '\uFFFD');
    } else if (typeof value === 'number') {
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return key;
      if (value === 0) props[key] = 0; // −0 is 0
    }
  }
  return undefined;
}

const DECIMAL = /^(-?)0*(\d{1,12}?)(?:\.(\d{1,6}?)0*)?$/;

function revenueOf({ amount, currency }: NonNullable<NativeEvent['revenue']>): Revenue | undefined {
  const decimal = canonicalDecimal(typeof amount === 'number' ? textOf(amount) : amount);
  return decimal === undefined ? undefined : { amount: decimal, currency: currency.toUpperCase() };
}

/** A client's sum such as 0.1 + 0.2 is rounded to six places; decimal text must be exact. */
function textOf(amount: number): string {
  const text = String(amount);
  const decimals = text.length - text.indexOf('.') - 1;
  return text.includes('e') || (text.includes('.') && decimals > 6) ? amount.toFixed(6) : text;
}

function canonicalDecimal(text: string): string | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  const digits = fraction === '' || fraction === '0' ? whole! : `${whole}.${fraction}`;
  return digits === '0' ? '0' : `${sign}${digits}`;
}
