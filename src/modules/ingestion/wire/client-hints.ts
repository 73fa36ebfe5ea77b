// What a browser says of itself in the headers Sec-CH-UA-…, as received: brands, platform and mobile come with every
// request over https, the rest only where the page's own server has asked for it (docs/reference/client-hints.md).
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientHints } from '../../../events/tracked-event.js';

const HEADER_CHARACTERS_MAX = 256;

/** Undefined: it says nothing, as Firefox and Safari do. */
export function clientHintsOf(headers: IncomingHttpHeaders): ClientHints | undefined {
  const brands = textOf(headers['sec-ch-ua']);
  const fullVersions = textOf(headers['sec-ch-ua-full-version-list']);
  const platform = textOf(headers['sec-ch-ua-platform']);
  if (brands === undefined && fullVersions === undefined && platform === undefined) return undefined;
  return {
    brands: fullVersions === undefined ? brands : undefined,
    fullVersions,
    platform,
    platformVersion: textOf(headers['sec-ch-ua-platform-version']),
    mobile: textOf(headers['sec-ch-ua-mobile']),
    model: textOf(headers['sec-ch-ua-model']),
  };
}

/** What no browser would send is no hint. */
const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && header !== '' && header.length <= HEADER_CHARACTERS_MAX ? header : undefined;
