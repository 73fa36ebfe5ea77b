// Events as an export shows them: taken out of their session's arrays, a row each, in their order. Pure.
import type { Range } from '../request/date-range.js';
import type { ExportColumns } from './export-columns.js';
import type { SessionRow } from './session-pages.js';

export interface EventRow {
  readonly session: SessionRow;
  /** From 0. */
  readonly place: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Those of the range that pass the filters on events. */
export function* eventsOf(session: SessionRow, { from, to }: Range): Generator<EventRow> {
  const passing = session.passing === null ? null : new Set(session.passing);
  for (const [place, offset] of session.event_offsets.entries()) {
    const at = session.started_at + offset;
    if (at < from || at >= to || passing?.has(place + 1) === false) continue;
    yield { session, place, at };
  }
}

export const EXPORTED_EVENT: ExportColumns<EventRow> = {
  session_id: {
    type: 'text',
    meaning: 'the session it belongs to, 16 hexadecimal digits',
    of: ({ session }) => session.session,
  },
  event_index: {
    type: 'integer',
    meaning: 'its place in the session, from 0; with `session_id` it names the event',
    of: ({ place }) => place,
  },
  visitor_id: {
    type: 'text',
    meaning: 'the visitor, 16 hexadecimal digits; may change within a session, when a day ends',
    of: ({ session, place }) => {
      const own = session.event_visitors?.[place];
      return own === undefined ? session.visitor : hex64(own);
    },
  },
  occurred_at: { type: 'time', meaning: 'when it happened', of: ({ at }) => at },
  name: {
    type: 'text',
    meaning:
      '`pageview`, the name given by the site, or `engagement`: attention paid, which no metric counts as an event',
    of: ({ session, place }) => session.event_names?.[place] ?? 'pageview',
  },
  page: {
    type: 'text',
    optional: true,
    meaning: 'path of the URL',
    of: ({ session, place }) => session.event_pages[place] ?? null,
  },
  hostname: {
    type: 'text',
    optional: true,
    meaning: 'host name of the URL',
    of: ({ session, place }) =>
      session.event_hostnames === null ? session.entry_hostname : (session.event_hostnames[place] ?? null),
  },
  interactive: {
    type: 'flag',
    meaning: 'false: it does not keep a visit from being a bounce',
    of: ({ session, place }) => session.event_interactive?.[place] ?? true,
  },
  engagement_ms: {
    type: 'integer',
    optional: true,
    meaning: 'attention paid, milliseconds',
    of: ({ session, place }) => session.event_engagement_ms?.[place] ?? null,
  },
  scroll_percent: {
    type: 'integer',
    optional: true,
    meaning: 'how far down the page one got, 0 to 100',
    of: ({ session, place }) => session.event_scroll_depth?.[place] ?? null,
  },
  revenue_amount: {
    type: 'text',
    optional: true,
    meaning: 'decimal, exact to the millionth, in `revenue_currency`',
    of: ({ session, place }) => decimalOf(session.event_amounts_micros?.[place] ?? null),
  },
  revenue_currency: {
    type: 'text',
    optional: true,
    meaning: 'ISO 4217 code',
    of: ({ session, place }) => session.event_currencies?.[place] ?? null,
  },
  props: {
    type: 'json',
    optional: true,
    meaning: 'the properties that the site gave it',
    of: ({ session, place }) => session.event_props?.[place] ?? null,
  },
  bot: { type: 'flag', meaning: 'whether its session looks like a bot', of: ({ session }) => session.bot },
};

const hex64 = (signed: string): string => BigInt.asUintN(64, BigInt(signed)).toString(16).padStart(16, '0');

/** Millionths as a decimal number without needless zeros. */
function decimalOf(micros: string | null): string | null {
  if (micros === null) return null;
  const [sign, digits] = micros.startsWith('-') ? ['-', micros.slice(1)] : ['', micros];
  const padded = digits.padStart(7, '0');
  const fraction = padded.slice(-6).replace(/0+$/, '');
  return `${sign}${padded.slice(0, -6)}${fraction === '' ? '' : `.${fraction}`}`;
}
