// Visits as the oracle sees them: the naive fold's sessions of the raw events, with what interpreters say
// of each event beside it. Sessions, bounces, entries and values of missing things are the oracle's own.
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { createInterpreter } from '../catalog.js';
import { naiveSessions } from '../naive-fold.js';

export interface Hit {
  readonly at: number;
  readonly name: string;
  readonly visitor: string;
  /** An engagement event: measures, and is not counted. */
  readonly engagement: boolean;
  readonly page: string | null;
  readonly hostname: string | null;
  readonly interactive: boolean;
  readonly engagementMs: number | null;
  readonly scrollDepth: number | null;
  readonly props: ReadonlyMap<string, string>;
  /** Millionths. */
  readonly micros: bigint | null;
  readonly currency: string | null;
}

export interface Visit {
  readonly site: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly bot: boolean;
  readonly bounced: boolean;
  /** By order of occurrence. */
  readonly hits: readonly Hit[];
  /** Of the first event, by the names of dimensions without `visit:`; null: missing. */
  readonly about: Readonly<Record<string, string | null>>;
  readonly entry: Hit | null;
  readonly exit: Hit | null;
}

const interpret = createInterpreter();

export const visitsOf = (log: readonly TrackedEvent[]): readonly Visit[] =>
  naiveSessions(log).map(({ site, all }) => visitOf(site, all));

function visitOf(site: string, all: readonly TrackedEvent[]): Visit {
  const hits = all.map(hitOf);
  const counted = hits.filter(({ engagement }) => !engagement);
  const pageviews = counted.filter(({ name }) => name === 'pageview');
  const interactive = counted.some((hit) => hit.name !== 'pageview' && hit.interactive);
  const { origin, client, place } = interpret(all[0]!);
  return {
    site,
    startedAt: counted[0]!.at,
    endedAt: counted.at(-1)!.at,
    bot: client.bot,
    bounced: pageviews.length < 2 && !interactive,
    hits,
    entry: pageviews[0] ?? null,
    exit: pageviews.at(-1) ?? null,
    about: {
      source: origin.source,
      channel: origin.channel,
      referrer: origin.referrer,
      utm_source: origin.utmSource,
      utm_medium: origin.utmMedium,
      utm_campaign: origin.utmCampaign,
      utm_content: origin.utmContent,
      utm_term: origin.utmTerm,
      browser: client.browser,
      browser_version: client.browserVersion,
      os: client.os,
      os_version: client.osVersion,
      device: client.device,
      screen: client.screen,
      language: client.language,
      country: place.country,
      region: place.region,
      city: place.city,
    },
  };
}

function hitOf(event: TrackedEvent): Hit {
  const { page, hostname } = interpret(event);
  return {
    at: event.occurredAt,
    name: event.name,
    visitor: event.visitor,
    engagement: event.name === 'engagement',
    page,
    hostname,
    interactive: event.interactive !== false,
    engagementMs: event.engagementMs ?? null,
    scrollDepth: event.scrollDepth ?? null,
    props: new Map(Object.entries(event.props ?? {}).map(([key, value]) => [key, String(value)])),
    micros: event.revenue ? microsOf(event.revenue.amount) : null,
    currency: event.revenue?.currency ?? null,
  };
}

function microsOf(amount: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount)!;
  const micros = BigInt(whole! + fraction.padEnd(6, '0'));
  return sign === '-' ? -micros : micros;
}
