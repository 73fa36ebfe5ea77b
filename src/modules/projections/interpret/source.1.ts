// Where a visit came from: utm_source, else source, else ref, else the referrer, under the name
// people know it by, and the channel that makes it. The site's own host is no referrer.
import { LRUCache } from 'lru-cache';
import { type Acquisition, channelOf } from './channel.1.js';
import { type KnownSource, sourceOfHost, sourceOfTag } from './known-sources.1.js';
import { pageOf, withoutWww } from './page.js';
import { DIRECT, type Origin } from '../visit-event.js';

const REMEMBERED_MAX = 20_000;
const REMEMBERED_CHARS_MAX = 4_000_000;

/** What advertisers call a source they pay: `fb-ads`, `google ads`, `bing_ad`. */
const AD_TAG = /^(.+?)(?:[-_ ]?ads|[-_ ]ad|[-_ ]?adwords)$/;

/** A lookup that remembers, so that equal origins share one object. */
export function createOriginInterpreter(): (url: string | undefined, referrer: string | undefined) => Origin {
  const remembered = new LRUCache<string, Origin>({
    max: REMEMBERED_MAX,
    maxSize: REMEMBERED_CHARS_MAX,
    sizeCalculation: (_, key) => key.length,
  });
  return (url, referrer) => {
    const { hostname, query } = pageOf(url);
    const external = externalReferrer(referrer, hostname);
    if (query === '' && external === null) return DIRECT;
    const key = `${query}\n${external ?? ''}`;
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const origin = interpretOrigin(query, external);
    remembered.set(key, origin);
    return origin;
  };
}

function interpretOrigin(query: string, referrer: string | null): Origin {
  const parameters = new URLSearchParams(query);
  const given = (name: string): string | null => parameters.get(name)?.trim() || null;
  const utmSource = given('utm_source');
  const utmMedium = given('utm_medium');
  const utmCampaign = given('utm_campaign');
  const tag = utmSource ?? given('source') ?? given('ref');
  const { source, kind, advertised } = tag === null ? referringSource(referrer) : taggedSource(tag);
  const origin: Origin = {
    referrer,
    source,
    channel: channelOf({
      ...{ source, kind, advertised },
      medium: utmMedium,
      campaign: utmCampaign,
      clickIds: { google: parameters.has('gclid'), microsoft: parameters.has('msclkid') },
    }),
    utmSource,
    utmMedium,
    utmCampaign,
    utmContent: given('utm_content'),
    utmTerm: given('utm_term'),
  };
  return Object.values(origin).every((value) => value === null) ? DIRECT : origin;
}

/** Host without `www.` plus path, as it is shown; null when it is the page's own host. */
function externalReferrer(referrer: string | undefined, ownHostname: string | null): string | null {
  const { hostname, path } = pageOf(referrer);
  if (hostname === null || hostname === '') return null;
  const host = withoutWww(hostname);
  if (ownHostname !== null && host === withoutWww(ownHostname)) return null;
  return path === '/' || path === null ? host : host + path;
}

type NamedSource = Pick<Acquisition, 'source' | 'kind' | 'advertised'>;

const named = (known: KnownSource | undefined, otherwise: string | null): NamedSource => ({
  source: known?.name ?? otherwise,
  kind: known?.kind ?? null,
  advertised: false,
});

function referringSource(referrer: string | null): NamedSource {
  if (referrer === null) return named(undefined, null);
  const slash = referrer.indexOf('/');
  const host = slash < 0 ? referrer : referrer.slice(0, slash);
  return named(sourceOfHost(host), host);
}

function taggedSource(tag: string): NamedSource {
  const lower = tag.toLowerCase();
  const known = sourceOfTag(lower);
  if (known !== undefined) return named(known, tag);
  const advertised = lower === 'adwords' ? 'google' : AD_TAG.exec(lower)?.[1];
  const paid = advertised === undefined ? undefined : sourceOfTag(advertised);
  return { ...named(paid, tag), advertised: paid !== undefined };
}
