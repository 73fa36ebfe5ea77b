// Third stage of the import: is this line a page view, and of which page? One table says what is not.
// Every line gets exactly one verdict, and every reason is counted, so that nothing vanishes silently.
import { LINE_BYTES_MAX } from './line-reader.js';
import type { LogLine } from './parse-line.js';

/** In the order in which they are asked: a line has the first reason that holds. */
export const SKIP_REASONS = {
  empty: 'lines without any text',
  too_long: `lines longer than ${LINE_BYTES_MAX.toLocaleString('en-US')} bytes`,
  malformed: 'not of the common or combined format, or no HTTP request in it',
  method: 'not a GET',
  status: 'neither 2xx nor 304 (a page shown from a cache was seen)',
  other_host: 'the full URL of another site was asked for, as open-proxy scanners do',
  probe: 'asked for by machines: dot files, health and status pages, WordPress endpoints',
  feed: 'RSS and Atom feeds',
  asset: 'images, styles, scripts, fonts, media, data, documents and downloads, by extension',
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;

export interface PageView {
  /** Path and query, ASCII. */
  readonly path: string;
  readonly line: LogLine;
}

export type LineVerdict =
  | { readonly verdict: 'page-view'; readonly pageView: PageView }
  | { readonly verdict: 'skipped'; readonly reason: SkipReason };

// What is not a page. Anything else is one, whatever it ends in: /v1.2, /john.smith, /index.php.
const ASSET_EXTENSIONS = words(`
  css js mjs cjs map wasm xsl xslt htc
  png jpg jpeg jfif gif svg svgz ico cur webp avif apng bmp tif tiff heic psd
  woff woff2 ttf otf eot
  mp3 m4a aac ogg oga opus wav flac mid mp4 m4v m4s webm ogv mov avi mkv wmv flv swf mpg mpeg 3gp m3u8 ts vtt srt
  zip gz tgz bz2 tbz xz zst 7z rar tar jar war exe msi dmg pkg iso img deb rpm apk ipa bin gem whl torrent
  pdf doc docx xls xlsx ppt pptx odt ods odp epub mobi ps eps rtf csv tsv
  json jsonld xml txt yaml yml webmanifest manifest appcache ics vcf wsdl
`);
const FEED_EXTENSIONS = words('rss atom rdf');
const FEED_NAMES = words('feed rss rss2 atom rdf');
// The name stops at the next separator, so that a line of question marks is no quadratic search.
const FEED_QUERY = /[?&][^=&?]+=(?:rss|atom|rdf)[\d.]*(?:&|$)/i;
const PROBE_PATHS = words(`
  /server-status /server-info /nginx_status /healthz /livez /readyz
  /wp-login.php /wp-cron.php /xmlrpc.php /wp-admin/admin-ajax.php
`);
const PROBE_PREFIXES = ['/wp-json/'];
const DOT_FILE = /\/\.[^./]/;

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

/** @param domain the site's, lower case */
export function judge(line: LogLine, domain: string): LineVerdict {
  if (line.method !== 'GET') return skipped(isRequestMethod(line) ? 'method' : 'malformed');
  const target = originForm(line.target, domain);
  if (target === 'malformed') return skipped('malformed');
  if (!(line.status >= 200 && line.status <= 299) && line.status !== 304) return skipped('status');
  if (target === 'other_host') return skipped('other_host');
  const notPage = whyNotPage(target.path);
  if (notPage !== null) return skipped(notPage);
  return { verdict: 'page-view', pageView: { path: target.path, line } };
}

const skipped = (reason: SkipReason): LineVerdict => ({ verdict: 'skipped', reason });

// A word and something after it is a request only if the word is written as methods are.
const isRequestMethod = ({ method, target }: LogLine): boolean =>
  target.startsWith('/') || target === '*' || target.includes('://') || method === 'CONNECT';

function originForm(target: string, domain: string): { path: string } | 'malformed' | 'other_host' {
  if (target.startsWith('/')) return { path: percentEncoded(target) };
  const absolute = /^https?:\/\/([^/?#]*)/i.exec(target);
  if (absolute === null) return 'malformed';
  const host = absolute[1]!.toLowerCase().replace(/:\d+$/, '');
  if (host !== domain && !host.endsWith(`.${domain}`)) return 'other_host';
  const path = target.slice(absolute[0].length);
  return { path: percentEncoded(path.startsWith('/') ? path : `/${path}`) };
}

/** Bytes that may not stand in a URL; a backslash would be read as a slash. */
export const percentEncoded = (bytes: string): string =>
  bytes.replace(
    /[^\x21-\x5b\x5d-\x7e]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

function whyNotPage(target: string): SkipReason | null {
  const queryAt = target.search(/[?#]/);
  const path = (queryAt < 0 ? target : target.slice(0, queryAt)).toLowerCase();
  if (PROBE_PATHS.has(path) || DOT_FILE.test(path)) return 'probe';
  if (PROBE_PREFIXES.some((prefix) => path.startsWith(prefix))) return 'probe';
  const name = lastSegment(path);
  const dot = name.lastIndexOf('.');
  const extension = dot < 0 ? '' : name.slice(dot + 1);
  if (FEED_EXTENSIONS.has(extension) || FEED_NAMES.has(name)) return 'feed';
  if (queryAt >= 0 && FEED_QUERY.test(target.slice(queryAt))) return 'feed';
  return ASSET_EXTENSIONS.has(extension) ? 'asset' : null;
}

function lastSegment(path: string): string {
  const end = path.endsWith('/') ? path.length - 1 : path.length;
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}
