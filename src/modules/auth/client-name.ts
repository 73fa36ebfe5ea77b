// What kind of program sent a request, by its User-Agent: enough to see that an account is suddenly used from
// another one, and too little to know anybody again. Always one of the names known here: events are kept for ever,
// and are not to hold what a client chose to say. Pure.
import Bowser from 'bowser';

const PARSED_CHARACTERS_MAX = 512;
/** The first product (RFC 9110 §10.1.5) of what is no browser, such as `curl` of `curl/8.5.0`. */
const PRODUCT = /^[\w.-]+/;
/** What all browsers say first tells nothing. */
const MOZILLA = 'Mozilla';
const OTHER = 'another program';

const BROWSERS: ReadonlySet<string> = new Set(Object.values(Bowser.BROWSER_MAP));
const SYSTEMS: ReadonlySet<string> = new Set(Object.values(Bowser.OS_MAP));
const PROGRAMS: ReadonlySet<string> = new Set([
  ...[
    'tidemark-cli',
    'curl',
    'Wget',
    'HTTPie',
    'PostmanRuntime',
    'insomnia',
    'node',
    'undici',
    'node-fetch',
    'axios',
  ],
  ...[
    'got',
    'Deno',
    'Bun',
    'python-requests',
    'python-httpx',
    'Python-urllib',
    'Go-http-client',
    'Java',
    'okhttp',
  ],
  ...['Apache-HttpClient', 'Ruby', 'Faraday', 'GuzzleHttp', 'PHP', 'libwww-perl', 'reqwest', 'Terraform'],
]);

/** Undefined: it does not say. */
export function clientName(userAgent: string | undefined): string | undefined {
  if (!userAgent) return undefined;
  const { browser, os } = Bowser.parse(userAgent.slice(0, PARSED_CHARACTERS_MAX));
  if (browser.name !== undefined && BROWSERS.has(browser.name)) {
    return os.name !== undefined && SYSTEMS.has(os.name) ? `${browser.name} on ${os.name}` : browser.name;
  }
  const [product] = PRODUCT.exec(userAgent) ?? [];
  if (product === undefined || product === MOZILLA) return undefined;
  return PROGRAMS.has(product) ? product : OTHER;
}
