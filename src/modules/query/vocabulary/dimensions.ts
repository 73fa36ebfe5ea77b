// What a query may group and filter by, and how each is read from a session row or one of its
// events. The only place that turns a dimension's name into SQL: whatever is not listed here cannot
// reach a statement. A missing value has a label, and the label is what filters see too.
// docs/reference/metrics.md is generated from these declarations.
import type { SqlParameters } from '../facts/sql-parameters.js';
import { COUNTRY_NAMES_JSON } from './country-names.js';

export const TIME_DIMENSIONS = [
  'time:minute',
  'time:hour',
  'time:day',
  'time:week',
  'time:month',
  'time:year',
] as const;
export type TimeDimension = (typeof TIME_DIMENSIONS)[number];

const DIRECT = 'Direct / None';
const NOT_SET = '(not set)';
const NONE = '(none)';

interface VisitDeclaration {
  readonly meaning: string;
  /** The label of a missing value; null: there always is one. */
  readonly missing: string | null;
  /** Over the session row `s`; never null. */
  readonly sql: (parameters: SqlParameters) => string;
}

const column = (name: string, meaning: string, missing: string = NOT_SET): VisitDeclaration => ({
  meaning,
  missing,
  sql: () => `coalesce(s.${name}, '${missing}')`,
});

/**
 * How the visit came, for the tools that ask it beside the source. Where no link was tagged it follows from
 * the channel and the source; of a paid search the channel is all that is kept of the click's id.
 */
const MEDIUM = `CASE WHEN s.utm_medium IS NOT NULL THEN s.utm_medium WHEN s.source IS NULL THEN '${NONE}'
  WHEN s.channel = 'Paid Search' THEN 'cpc' WHEN s.utm_source IS NOT NULL THEN '${NOT_SET}'
  WHEN s.channel = 'Organic Search' THEN 'organic' ELSE 'referral' END`;

/** Before bots had kinds, their rows named a device like anybody's. */
const BOT_KIND = `CASE WHEN NOT s.bot THEN '${NOT_SET}' WHEN s.device IN ('Desktop', 'Mobile', 'Tablet', 'TV') THEN 'Other'
  ELSE coalesce(s.device, 'Other') END`;

/** One value per session. */
const VISIT = {
  'visit:source': column('source', 'where the visit came from', DIRECT),
  'visit:channel': column(
    'channel',
    'how the visit was won, by the rules of [channels](channels.md)',
    'Direct',
  ),
  'visit:medium': {
    meaning: 'how the visit came, tagged or not, by the rules of [channels](channels.md#medium)',
    missing: null,
    sql: () => MEDIUM,
  },
  'visit:source_medium': {
    meaning: '`visit:source`, or `(direct)`, and `visit:medium`, as in `Google / organic`',
    missing: null,
    sql: () => `coalesce(s.source, '(direct)') || ' / ' || ${MEDIUM}`,
  },
  'visit:referrer': column('referrer', 'host and path of the referring page', DIRECT),
  'visit:utm_source': column('utm_source', 'as given'),
  'visit:utm_medium': column('utm_medium', 'as given'),
  'visit:utm_campaign': column('utm_campaign', 'as given'),
  'visit:utm_content': column('utm_content', 'as given'),
  'visit:utm_term': column('utm_term', 'as given'),
  'visit:entry_page': column('entry_page', 'path of the first pageview'),
  'visit:exit_page': column('exit_page', 'path of the last pageview'),
  'visit:entry_page_hostname': column('entry_hostname', 'host name of the first pageview'),
  'visit:exit_page_hostname': column('exit_hostname', 'host name of the last pageview'),
  'visit:browser': column('browser', 'from user agent and client hints; of a bot its name'),
  'visit:browser_version': column('browser_version', 'from user agent and client hints'),
  'visit:os': column('os', 'operating system, from user agent and client hints'),
  'visit:os_version': column('os_version', 'from user agent and client hints'),
  'visit:device': column(
    'device',
    'kind of device, from user agent and client hints; of a bot what it comes for',
  ),
  'visit:screen': column('screen', 'size of the screen, as the client gave it'),
  'visit:language': column('language', 'preferred language, as the client gave it'),
  'visit:country': column('country', 'ISO 3166-1 alpha-2 code'),
  'visit:region': column('region', 'as located, or as the client gave it'),
  'visit:city': column('city', 'as located, or as the client gave it'),
  'visit:country_name': {
    meaning: 'English name of the country; the code where it has none',
    missing: NOT_SET,
    sql: (parameters) =>
      `coalesce(${parameters.add(COUNTRY_NAMES_JSON, 'jsonb')} ->> s.country, s.country, '${NOT_SET}')`,
  },
  'visit:region_name': column('region', 'the same as `visit:region`'),
  'visit:city_name': column('city', 'the same as `visit:city`'),
  'visit:bot': {
    meaning: '`true` or `false`',
    missing: null,
    sql: () => `CASE WHEN s.bot THEN 'true' ELSE 'false' END`,
  },
  'visit:bot_name': {
    meaning:
      'which bot it is, as in `GPTBot`; of others than bots, and of bots without a known name, missing',
    missing: NOT_SET,
    sql: () => `coalesce(CASE WHEN s.bot THEN s.browser END, '${NOT_SET}')`,
  },
  'visit:bot_kind': {
    meaning:
      'what the bot comes for, as in `AI crawler` ([sessions](sessions.md)); of others than bots missing',
    missing: NOT_SET,
    sql: () => BOT_KIND,
  },
} as const satisfies Readonly<Record<string, VisitDeclaration>>;
export type VisitDimension = keyof typeof VISIT;

/** What can be read of one event: the columns of `facts/events-apart.ts`. */
export type EventColumn =
  | 'name'
  | 'page'
  | 'hostname'
  | 'event_visitor'
  | 'interactive'
  | 'engagement_ms'
  | 'scroll_depth'
  | 'props'
  | 'amount_micros'
  | 'currency';

interface EventDeclaration {
  readonly meaning: string;
  readonly missing: string | null;
  readonly reads: readonly EventColumn[];
  /** Over the event `e`; never null. */
  readonly own: string;
  /** With the session's entry in the event's place: bounces of a page belong to the sessions that entered there. */
  readonly entry: string;
}

const NAME = `coalesce(e.name, 'pageview')`;

/** One value per event. */
const EVENT = {
  'event:page': {
    meaning: 'path of the URL',
    missing: NOT_SET,
    reads: ['page'],
    own: `coalesce(e.page, '${NOT_SET}')`,
    entry: `coalesce(e.entry_page, '${NOT_SET}')`,
  },
  'event:hostname': {
    meaning: 'host name of the URL; where the event has none, that of the entry page',
    missing: NOT_SET,
    reads: ['hostname'],
    own: `coalesce(e.hostname, e.entry_hostname, '${NOT_SET}')`,
    entry: `coalesce(e.entry_hostname, '${NOT_SET}')`,
  },
  'event:name': { meaning: 'name of the event', missing: null, reads: ['name'], own: NAME, entry: NAME },
} as const satisfies Readonly<Record<string, EventDeclaration>>;
type NamedEventDimension = keyof typeof EVENT;

interface ClockDeclaration {
  readonly meaning: string;
  /** Of PostgreSQL's to_char. */
  readonly format: string;
}

const inZone = (what: string) => `${what}, in the site's time zone`;

/** What the clock and the calendar at the site show of an event's time: unlike buckets, also the same for many days. */
const CLOCK = {
  'event:date': { meaning: inZone('the day, as `2026-11-01`'), format: 'YYYY-MM-DD' },
  'event:minute_of_hour': { meaning: inZone('`00` to `59`'), format: 'MI' },
  'event:hour_of_day': { meaning: inZone('`00` to `23`'), format: 'HH24' },
  'event:day_of_week': { meaning: inZone('`1`, Monday, to `7`'), format: 'ID' },
  'event:day_of_month': { meaning: inZone('`01` to `31`'), format: 'DD' },
  'event:month_of_year': { meaning: inZone('`01` to `12`'), format: 'MM' },
} as const satisfies Readonly<Record<string, ClockDeclaration>>;
export type ClockDimension = keyof typeof CLOCK;

/** Each of the site's goals that the event reaches: none, one, or several. */
export const GOAL_DIMENSION = 'event:goal';

const PROPERTY_PREFIX = 'event:props:';
export const PROPERTY_NAME_CHARS_MAX = 300;
export type PropertyDimension = `event:props:${string}`;

export type EventDimension = NamedEventDimension | typeof GOAL_DIMENSION | PropertyDimension | ClockDimension;
export type ValueDimension = VisitDimension | EventDimension;
export type Dimension = TimeDimension | ValueDimension;

export const VISIT_DIMENSIONS = Object.keys(VISIT) as readonly VisitDimension[];
const NAMED_EVENT_DIMENSIONS = Object.keys(EVENT) as readonly NamedEventDimension[];
/** All that have a name of their own, unlike properties. */
export const CLOCK_DIMENSIONS = Object.keys(CLOCK) as readonly ClockDimension[];
export const VALUE_DIMENSIONS: readonly Exclude<ValueDimension, PropertyDimension>[] = [
  ...NAMED_EVENT_DIMENSIONS,
  GOAL_DIMENSION,
  ...CLOCK_DIMENSIONS,
  ...VISIT_DIMENSIONS,
];
/** As a request names them: `time` takes the granularity that suits the range. */
export const REQUEST_DIMENSIONS = ['time', ...TIME_DIMENSIONS, ...VALUE_DIMENSIONS] as const;
export type RequestDimension = 'time' | Dimension;

const ABOUT_BOTS: ReadonlySet<string> = new Set<VisitDimension>([
  'visit:bot',
  'visit:bot_name',
  'visit:bot_kind',
]);

/** Whoever asks them wants bots counted. */
export const isAboutBots = (dimension: string): boolean => ABOUT_BOTS.has(dimension);
export const isTimeDimension = (dimension: Dimension): dimension is TimeDimension =>
  (TIME_DIMENSIONS as readonly string[]).includes(dimension);
export const isPropertyDimension = (dimension: string): dimension is PropertyDimension =>
  dimension.startsWith(PROPERTY_PREFIX) &&
  dimension.length > PROPERTY_PREFIX.length &&
  dimension.length <= PROPERTY_PREFIX.length + PROPERTY_NAME_CHARS_MAX &&
  dimension.isWellFormed() &&
  !dimension.includes('\0');
export const isVisitDimension = (dimension: Dimension): dimension is VisitDimension =>
  Object.hasOwn(VISIT, dimension);
export const isClockDimension = (dimension: Dimension): dimension is ClockDimension =>
  Object.hasOwn(CLOCK, dimension);
export const isEventDimension = (dimension: Dimension): dimension is EventDimension =>
  !isVisitDimension(dimension) && !isTimeDimension(dimension);
export const isValueDimension = (name: string): name is ValueDimension =>
  (VALUE_DIMENSIONS as readonly string[]).includes(name) || isPropertyDimension(name);

export const isRequestDimension = (name: string): name is RequestDimension =>
  (REQUEST_DIMENSIONS as readonly string[]).includes(name) || isPropertyDimension(name);

export const clockFormat = (dimension: ClockDimension): string => CLOCK[dimension].format;

export const visitSql = (dimension: VisitDimension, parameters: SqlParameters): string =>
  VISIT[dimension].sql(parameters);

export type Place = 'own' | 'entry';

/** Of one event. What clocks show is told by `facts/clock-sql.ts`; goals, by predicates, by `facts/goal-sql.ts`. */
export function eventSql(
  dimension: Exclude<EventDimension, typeof GOAL_DIMENSION | ClockDimension>,
  place: Place,
  parameters: SqlParameters,
): string {
  if (!isPropertyDimension(dimension)) return EVENT[dimension][place];
  const property = parameters.add(dimension.slice(PROPERTY_PREFIX.length), 'text');
  return `coalesce(e.props ->> ${property}, '${NONE}')`;
}

export function columnsOf(dimension: Exclude<EventDimension, typeof GOAL_DIMENSION>): readonly EventColumn[] {
  if (isPropertyDimension(dimension)) return ['props'];
  return isClockDimension(dimension) ? [] : EVENT[dimension].reads;
}

/** For the reference, events first. */
export function declaredDimensions(): readonly {
  readonly name: string;
  readonly meaning: string;
  readonly missing: string | null;
}[] {
  const declared = (declarations: Readonly<Record<string, VisitDeclaration | EventDeclaration>>) =>
    Object.entries(declarations).map(([name, { meaning, missing }]) => ({ name, meaning, missing }));
  return [
    ...declared(EVENT),
    {
      name: GOAL_DIMENSION,
      meaning: 'name of each goal that the event reaches: none, one or several',
      missing: null,
    },
    {
      name: `${PROPERTY_PREFIX}NAME`,
      meaning: `the property's value as text; any NAME of at most ${PROPERTY_NAME_CHARS_MAX} characters`,
      missing: NONE,
    },
    ...Object.entries(CLOCK).map(([name, { meaning }]) => ({ name, meaning, missing: null })),
    ...declared(VISIT),
  ];
}
