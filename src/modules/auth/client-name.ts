// What kind of program sent a request, by its User-Agent: enough to see that an account is suddenly used from
// another one, and too little to know anybody again. Pure.
import Bowser from 'bowser';

const PARSED_CHARACTERS_MAX = 512;
const NAME_CHARACTERS_MAX = 40;
/** The first product (RFC 9110 §10.1.5) of what is no browser, such as `curl` of `curl/8.5.0`. */
const PRODUCT = /^[\w.-]+/;
/** What all browsers say first tells nothing. */
const MOZILLA = 'Mozilla';

/** Undefined: it does not say. */
export function clientName(userAgent: string | undefined): string | undefined {
  if (!userAgent) return undefined;
  const { browser, os } = Bowser.parse(userAgent.slice(0, PARSED_CHARACTERS_MAX));
  if (browser.name) {
    return bounded(os.name ? `${browser.name} on ${os.name}` : browser.name);
  }
  const [product] = PRODUCT.exec(userAgent) ?? [];
  return product === undefined || product === MOZILLA ? undefined : bounded(product);
}

const bounded = (name: string): string => name.slice(0, NAME_CHARACTERS_MAX);
