// POST /api/event, as Plausible's script and trackers send it: no key, the site is named by its domain, short
// keys or long ones. Its clients have no event ids: what one of them sends twice counts twice.
import type { ErrorForm } from '../../../../http/route-kind.js';
import { Problem } from '../../../../http/problem.js';
import { parseJson } from '../../../../http/body.js';
import {
  type Fields,
  identifier,
  LENGTHS,
  fieldsOf,
  objectIn,
  propsOf,
  revenueOf,
  text,
  wholeNumber,
} from './fields.js';
import type {
  Settled,
  TranslatedEvent,
  Translation,
  VendorAnswer,
  VendorFormat,
  VendorRequest,
} from './vendor-format.js';

const ENGAGEMENT_MS_MAX = 86_400_000;
const DOMAINS_MAX = 20;
const DROPPED = { 'x-plausible-dropped': '1' };

/** What the site's operator decided about, and no fault of the event: its client is to go on as if it counted. */
const BY_POLICY = new Set(['site_unknown', 'site_required', 'origin_not_allowed', 'excluded']);

const errors: ErrorForm = ({ status, detail, title, errors: fields }) => {
  if (!fields) return { status, body: { error: detail ?? title } };
  return {
    status,
    body: { errors: Object.fromEntries(fields.map(({ path, message }) => [path, [message]])) },
  };
};

export const plausible: VendorFormat = {
  wire: 'plausible',
  title: 'Plausible',
  errors,
  routes: [
    {
      method: 'POST',
      paths: ['/api/event'],
      summary: 'receive an event',
      description:
        "For Plausible's script, `@plausible-analytics/tracker` with `endpoint`, `plausible-tracker` with `apiHost`. " +
        'The domain is that of a site, its id, or one of its `trackingIds`.',
      example: { name: 'pageview', url: 'https://shop.example/', domain: 'shop.example' },
      eventsMax: DOMAINS_MAX,
      translate,
      answer,
    },
  ],
};

function translate({ body }: VendorRequest): Translation {
  const sent = objectIn(body);
  const url = required(sent.u ?? sent.url, 'url');
  const name = identifier(required(sent.n ?? sent.name, 'name'), Infinity)!;
  if (name.length > LENGTHS.name) throw invalid('event_name', `should be at most ${LENGTHS.name} byte(s)`);
  const event: TranslatedEvent = {
    name,
    url: (sent.h ?? sent.hashMode) ? withPathOfFragment(url) : url,
    referrer: text(sent.r ?? sent.referrer, 2_000),
    ...(sent.i === false || sent.interactive === false ? { interactive: false } : undefined),
    ...(name === 'engagement' ? engagementIn(sent) : undefined),
    props: propsIn(sent.p ?? sent.props ?? sent.m ?? sent.meta),
    revenue: revenueIn(sent.$ ?? sent.revenue),
  };
  return { events: domainsIn(sent.d ?? sent.domain, url).map((site) => ({ ...event, site })) };
}

function answer(
  { accepted, duplicates, dropped, rejected }: Settled,
  { headers }: VendorRequest,
): VendorAnswer {
  const faults = rejected.filter(({ reason }) => !BY_POLICY.has(reason));
  if (faults.length > 0 && accepted + duplicates + dropped === 0) {
    throw Problem.badRequest(
      'The event could not be accepted: see errors.',
      faults.map(({ reason, detail }) => ({ path: reason.split('_', 1)[0]!, message: detail })),
    );
  }
  const status = headers['x-debug-request'] === 'true' ? 200 : 202;
  return { status, body: 'ok', ...(accepted + duplicates === 0 && { headers: DROPPED }) };
}

/** Its fragment joins the path: pages whose router lives behind the #. */
function withPathOfFragment(url: string): string {
  const [page, fragment] = url.split('#', 2);
  return fragment ? `${page!.replace(/\/$/, '')}/${fragment.replace(/^\//, '')}` : url;
}

/** Several are separated by commas; none: the page's own, as the vendor takes it. */
function domainsIn(domain: unknown, url: string): readonly string[] {
  const named =
    typeof domain === 'string'
      ? domain
          .split(',')
          .map((one) => one.trim())
          .filter(Boolean)
      : [];
  if (named.length > 0) return [...new Set(named)].slice(0, DOMAINS_MAX);
  if (!URL.canParse(url)) throw invalid('domain', "can't be blank");
  return [new URL(url).hostname];
}

function engagementIn(sent: Fields): Pick<TranslatedEvent, 'engagementMs' | 'scrollDepth'> {
  const engagementMs = wholeNumber(sent.e, ENGAGEMENT_MS_MAX);
  // 255 is how its script says that the depth is unknown.
  const depth = wholeNumber(sent.sd, 255);
  const scrollDepth = depth === undefined || depth > 100 ? undefined : depth;
  if (engagementMs === undefined && depth === undefined) throw invalid('engagement_time', "can't be blank");
  return { engagementMs, scrollDepth };
}

/** An object, or one as text. */
function propsIn(value: unknown): TranslatedEvent['props'] {
  if (typeof value !== 'string') return propsOf(scalarsOf(fieldsOf(value)));
  return value.trim().startsWith('{') ? propsOf(scalarsOf(fieldsOf(parseJson(value)))) : undefined;
}

const scalarsOf = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value !== 'object'));

/** One that is no sum of money is left out, and its event kept. */
function revenueIn(value: unknown): TranslatedEvent['revenue'] {
  const { amount, currency } = fieldsOf(
    typeof value === 'string' && value.startsWith('{') ? parseJson(value) : value,
  );
  return revenueOf(amount, currency);
}

function required(value: unknown, path: string): string {
  const given = text(value, Infinity);
  if (given === undefined) throw invalid(path, 'is required');
  return given;
}

const invalid = (path: string, message: string) =>
  Problem.badRequest('The event could not be accepted: see errors.', [{ path, message }]);
