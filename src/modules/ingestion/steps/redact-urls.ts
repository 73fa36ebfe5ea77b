// What may be kept of a URL: scheme, host, path and the query parameters that say where a visitor
// came from, or that the site keeps of its own pages; of a click's id the name alone. Credentials, fragment and every other parameter go; e-mail addresses and tokens in
// what is left are blotted out. Nothing later in the flow sees the original.
import { CLICK_ID_PARAMETERS } from '../../../events/click-id-parameters.js';
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

const KEPT_PARAMETERS = [
  'utm_source',
  'utm_medium',
  'utm_campaign',
  'utm_content',
  'utm_term',
  'ref',
  'source',
];
/** Of a click's id that there was one. */
const KEPT_NAMES: ReadonlySet<string> = new Set(CLICK_ID_PARAMETERS);
/** What an app for Android says in place of a page: who it is, and sometimes what it showed. */
const ANDROID_APP = /^\s*android-app:\/\/([\w.]{1,255})(?:[/?#]|\s*$)/i;
const URL_CHARACTERS_MAX = 2048;

export function redactUrls(allowedQueryParameters: readonly string[]): Step<Draft> {
  const kept = new Set([...KEPT_PARAMETERS, ...allowedQueryParameters]);
  return ({ input, event, rules }) => {
    if (input.url !== undefined) {
      event.url = redact(input.url, kept, rules.queryParameters);
      if (event.url === undefined)
        return rejected('url_invalid', 'url must be an absolute http or https URL');
      if (event.url.length > URL_CHARACTERS_MAX) {
        return rejected('url_too_long', `url has more than ${URL_CHARACTERS_MAX} characters once encoded`);
      }
    }
    // Browsers send '' for none, and apps schemes of their own: no reason to lose the event.
    if (input.referrer) {
      event.referrer = redactedApp(input.referrer) ?? redact(input.referrer, kept);
      if (event.referrer !== undefined && event.referrer.length > URL_CHARACTERS_MAX) {
        return rejected(
          'referrer_invalid',
          `referrer has more than ${URL_CHARACTERS_MAX} characters once encoded`,
        );
      }
    }
    return NEXT;
  };
}

/**
 * Spelled already as the URL standard would spell it, so that parsing would change nothing: labels
 * begin with a letter (no numeric address), no port, no encoding, no dot segments.
 */
const PLAIN_PAGE =
  /^https?:\/\/[a-z][a-z0-9]*(?:[.-][a-z][a-z0-9]*)*(?:\/(?:[\w~!$&'()*+,;=:@-][\w~!$&'()*+,;=:@.-]*)?)+$/;
const PLAIN_QUERY = /^[!#-&(-;=?-~]*$/;

/** Undefined: not an absolute http(s) URL. */
function redact(text: string, kept: ReadonlySet<string>, besides?: ReadonlySet<string>): string | undefined {
  const { page, query } = cutUp(text);
  if (PLAIN_PAGE.test(page) && PLAIN_QUERY.test(query)) {
    const pathStart = page.indexOf('/', 'https://'.length);
    return page.slice(0, pathStart) + blot(page.slice(pathStart)) + keptQuery(query, kept, besides);
  }
  if (!/^\s*https?:\/\//i.test(text)) return undefined;
  const url = parse(text);
  return (
    url && `${url.protocol}//${url.host}${blot(url.pathname)}${keptQuery(url.search.slice(1), kept, besides)}`
  );
}

/** Undefined: no app's. */
function redactedApp(text: string): string | undefined {
  const app = text.startsWith('http') ? undefined : ANDROID_APP.exec(text)?.[1];
  return app === undefined ? undefined : `android-app://${app.toLowerCase()}/`;
}

function cutUp(text: string): { page: string; query: string } {
  const hash = text.indexOf('#');
  const shown = hash < 0 ? text : text.slice(0, hash);
  const mark = shown.indexOf('?');
  return mark < 0 ? { page: shown, query: '' } : { page: shown.slice(0, mark), query: shown.slice(mark + 1) };
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function keptQuery(query: string, kept: ReadonlySet<string>, besides?: ReadonlySet<string>): string {
  let result = '';
  for (let start = 0; start < query.length;) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    const name = query.slice(start, nameEnd);
    const isKept = kept.has(name) || besides?.has(name) === true;
    if (isKept || KEPT_NAMES.has(name)) {
      const value = isKept && nameEnd < end ? blot(query.slice(nameEnd, end)) : '';
      result += (result === '' ? '?' : '&') + name + value;
    }
    start = end + 1;
  }
  return result;
}

const TOKEN_CHARACTERS_MIN = 32;
const [AT, PERCENT, HYPHEN, UNDERSCORE] = [64, 37, 45, 95];

/** An @ or a %, a run that might be a token, the start of a JSON web token: most texts have none. */
function isSuspicious(text: string): boolean {
  let run = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const letter = code | 32;
    if (
      (letter >= 97 && letter <= 122) ||
      (code >= 48 && code <= 57) ||
      code === HYPHEN ||
      code === UNDERSCORE
    ) {
      if (++run === TOKEN_CHARACTERS_MIN) return true;
    } else if (code === AT || code === PERCENT) return true;
    else run = 0;
  }
  return text.includes('eyJ');
}

// Each starts at the beginning of a run only, so that hostile input cannot make it quadratic.
const EMAIL = /(?<![\w.!#$%&'*+~-])[\w.!#$%&'*+~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+/g;
const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g;
const LONG_RUN = /[\w-]{32,}/g;

/** Most URLs hold nothing suspicious and cost one test. */
function blot(text: string): string {
  if (!isSuspicious(text)) return text;
  return text
    .replaceAll('%00', '%EF%BF%BD')
    .replace(EMAIL, '[email]')
    .replace(JSON_WEB_TOKEN, '[token]')
    .replace(LONG_RUN, (run) => (isToken(run) ? '[token]' : run));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A slug has hyphens and one case; a UUID names a thing. What mixes letters and digits otherwise is a secret. */
function isToken(run: string): boolean {
  if (!/\d/.test(run) || !/[a-z]/i.test(run) || UUID.test(run)) return false;
  const mixedCase = /[a-z]/.test(run) && /[A-Z]/.test(run);
  return mixedCase || !run.includes('-');
}
