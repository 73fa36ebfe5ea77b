// A site as a line of text and back: values without the names of their fields, and of those that most sites
// leave as they are, only what differs. Whatever a site is told that is not named here is kept as well.
import { SETTINGS_DEFAULT, type Site } from '../sites/site.aggregate.js';
import { spreadFromStart } from '../sites/spread.js';

const USUAL = new Map(
  Object.entries(SETTINGS_DEFAULT).map(([field, value]) => [field, JSON.stringify(value)]),
);

type SiteLine = readonly [
  id: string,
  merchant: string,
  domain: string,
  /** 0: the domain. */
  name: string | 0,
  timezone: string,
  currency: string,
  /** 0: none. */
  trackingIds: readonly string[] | 0,
  /** From epoch ms or null, the beginning; 0: never spread. */
  spreads: readonly (readonly [from: number | null, spread: number])[] | 0,
  /** Epoch ms. */
  createdAt: number,
  revision: number,
  ...unusual: readonly Readonly<Record<string, unknown>>[],
];

export function packSite(site: Site): string {
  const {
    id,
    merchant,
    domain,
    name,
    timezone,
    currency,
    trackingIds,
    spreads,
    createdAt,
    revision,
    ...rest
  } = site;
  const isSpread = spreads.length > 1 || spreads[0]!.spread !== 1;
  const unusual = Object.entries(rest).filter(
    ([field, value]) =>
      value !== SETTINGS_DEFAULT[field as keyof typeof SETTINGS_DEFAULT] &&
      USUAL.get(field) !== JSON.stringify(value),
  );
  const line: SiteLine = [
    ...([id, merchant, domain, name === domain ? 0 : name, timezone, currency] as const),
    trackingIds.length === 0 ? 0 : trackingIds,
    isSpread ? spreads.map(({ from, spread }) => [Number.isFinite(from) ? from : null, spread] as const) : 0,
    createdAt.getTime(),
    revision,
    ...(unusual.length === 0 ? [] : [Object.fromEntries(unusual)]),
  ];
  return JSON.stringify(line);
}

export function unpackSite(text: string): Site {
  const [id, merchant, domain, name, timezone, currency, trackingIds, spreads, createdAt, revision, unusual] =
    JSON.parse(text) as SiteLine;
  return {
    id,
    merchant,
    domain,
    name: name === 0 ? domain : name,
    timezone,
    currency,
    trackingIds: trackingIds === 0 ? [] : trackingIds,
    spreads: spreads === 0 ? spreadFromStart(1) : spreads.map(periodOf),
    createdAt: new Date(createdAt),
    revision,
    ...SETTINGS_DEFAULT,
    ...unusual,
  };
}

/** JSON does not know minus infinity. */
const periodOf = ([from, spread]: readonly [number | null, number]) => ({
  from: from ?? Number.NEGATIVE_INFINITY,
  spread,
});
