// Sessions as an export shows them: a row each, pure.
import type { ExportColumn, ExportColumns } from './export-columns.js';
import type { SessionRow } from './session-pages.js';

type TextField = {
  [Key in keyof SessionRow]: SessionRow[Key] extends string | null ? Key : never;
}[keyof SessionRow];

const text = (field: TextField, meaning: string): ExportColumn<SessionRow> => ({
  type: 'text',
  optional: true,
  meaning,
  of: (row) => row[field],
});

export const EXPORTED_SESSION: ExportColumns<SessionRow> = {
  session_id: {
    type: 'text',
    meaning: 'the session, 16 hexadecimal digits; events name it',
    of: (row) => row.session,
  },
  visitor_id: {
    type: 'text',
    meaning: 'the visitor of its first event, 16 hexadecimal digits; a cookieless one lasts a day',
    of: (row) => row.visitor,
  },
  started_at: { type: 'time', meaning: 'its first event', of: (row) => row.started_at },
  ended_at: {
    type: 'time',
    meaning: 'its last event; engagement afterwards does not count',
    of: (row) => row.ended_at,
  },
  duration_ms: {
    type: 'integer',
    meaning: 'from the first to the last event, milliseconds',
    of: (row) => row.ended_at - row.started_at,
  },
  bounced: {
    type: 'flag',
    meaning: 'whether it is a bounce: see [metrics](metrics.md)',
    of: (row) => row.bounced,
  },
  bot: { type: 'flag', meaning: 'whether it looks like a bot', of: (row) => row.bot },
  pageviews: { type: 'integer', meaning: 'how many, in all of the session', of: (row) => row.pageviews },
  events: {
    type: 'integer',
    meaning: 'how many, pageviews included and engagement not, in all of the session',
    of: (row) => row.events,
  },
  engagement_ms: {
    type: 'integer',
    optional: true,
    meaning: 'attention paid in all of the session, milliseconds; null where nothing was measured',
    of: (row) => sumOf(row.event_engagement_ms),
  },
  entry_page: text('entry_page', 'path of the first pageview'),
  exit_page: text('exit_page', 'path of the last pageview'),
  entry_hostname: text('entry_hostname', 'host name of the first pageview'),
  exit_hostname: text('exit_hostname', 'host name of the last pageview'),
  referrer: text('referrer', 'host and path of the referring page'),
  source: text('source', 'where the visit came from; null: direct, or nobody knows'),
  channel: text('channel', 'by the rules of [channels](channels.md); null: direct'),
  utm_source: text('utm_source', 'as given'),
  utm_medium: text('utm_medium', 'as given'),
  utm_campaign: text('utm_campaign', 'as given'),
  utm_content: text('utm_content', 'as given'),
  utm_term: text('utm_term', 'as given'),
  country: text('country', 'ISO 3166-1 alpha-2 code'),
  region: text('region', 'as located, or as the client gave it'),
  city: text('city', 'as located, or as the client gave it'),
  browser: text('browser', 'from user agent and client hints; of a bot its name'),
  browser_version: text('browser_version', 'from user agent and client hints'),
  os: text('os', 'operating system, from user agent and client hints'),
  os_version: text('os_version', 'from user agent and client hints'),
  device: text('device', 'kind of device, from user agent and client hints; of a bot what it comes for'),
  screen: text('screen', 'size of the screen, as the client gave it'),
  language: text('language', 'preferred language, as the client gave it'),
};

function sumOf(values: readonly (number | null)[] | null): number | null {
  let sum: number | null = null;
  for (const value of values ?? []) if (value !== null) sum = (sum ?? 0) + value;
  return sum;
}
