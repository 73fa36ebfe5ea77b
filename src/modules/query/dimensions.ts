// What a query may group and filter by, and how each is read from a session row. The only place
// that turns a dimension's name into SQL: whatever is not listed here cannot reach a statement.
// A missing value has a label, and the label is what filters see too.

export const TIME_DIMENSIONS = ['time:hour', 'time:day', 'time:week', 'time:month'] as const;
export type TimeDimension = (typeof TIME_DIMENSIONS)[number];

const DIRECT = 'Direct / None';
const NOT_SET = '(not set)';

const labelled = (column: string, missing: string) => `coalesce(s.${column}, '${missing}')`;

/** One value per session; expressions over the session row `s`, never null. */
const VISIT_SQL = {
  'visit:source': labelled('source', DIRECT),
  'visit:referrer': labelled('referrer', DIRECT),
  'visit:utm_source': labelled('utm_source', NOT_SET),
  'visit:utm_medium': labelled('utm_medium', NOT_SET),
  'visit:utm_campaign': labelled('utm_campaign', NOT_SET),
  'visit:utm_content': labelled('utm_content', NOT_SET),
  'visit:utm_term': labelled('utm_term', NOT_SET),
  'visit:entry_page': labelled('entry_page', NOT_SET),
  'visit:exit_page': labelled('exit_page', NOT_SET),
  'visit:browser': labelled('browser', NOT_SET),
  'visit:browser_version': labelled('browser_version', NOT_SET),
  'visit:os': labelled('os', NOT_SET),
  'visit:os_version': labelled('os_version', NOT_SET),
  'visit:device': labelled('device', NOT_SET),
  'visit:country': labelled('country', NOT_SET),
  'visit:region': labelled('region', NOT_SET),
  'visit:city': labelled('city', NOT_SET),
  'visit:bot': `CASE WHEN s.bot THEN 'true' ELSE 'false' END`,
} as const;
export type VisitDimension = keyof typeof VISIT_SQL;

/**
 * One value per event. `entry` puts the session's entry in the event's place: bounces and
 * durations of a page belong to the sessions that entered there.
 */
const EVENT_SQL = {
  'event:page': {
    own: `coalesce(e.page, '${NOT_SET}')`,
    entry: `coalesce(e.entry_page, '${NOT_SET}')`,
  },
  'event:hostname': {
    own: `coalesce(e.hostname, e.entry_hostname, '${NOT_SET}')`,
    entry: `coalesce(e.entry_hostname, '${NOT_SET}')`,
  },
  'event:name': {
    own: `coalesce(e.name, 'pageview')`,
    entry: `coalesce(e.name, 'pageview')`,
  },
} as const;
export type EventDimension = keyof typeof EVENT_SQL;

export type ValueDimension = VisitDimension | EventDimension;
export type Dimension = TimeDimension | ValueDimension;

export const VISIT_DIMENSIONS = Object.keys(VISIT_SQL) as readonly VisitDimension[];
export const EVENT_DIMENSIONS = Object.keys(EVENT_SQL) as readonly EventDimension[];
export const VALUE_DIMENSIONS: readonly ValueDimension[] = [...EVENT_DIMENSIONS, ...VISIT_DIMENSIONS];
/** As a request names them: `time` takes the granularity that suits the range. */
export const REQUEST_DIMENSIONS = ['time', ...TIME_DIMENSIONS, ...VALUE_DIMENSIONS] as const;

export const isTimeDimension = (dimension: Dimension): dimension is TimeDimension =>
  (TIME_DIMENSIONS as readonly string[]).includes(dimension);
export const isEventDimension = (dimension: Dimension): dimension is EventDimension =>
  Object.hasOwn(EVENT_SQL, dimension);
export const isVisitDimension = (dimension: Dimension): dimension is VisitDimension =>
  Object.hasOwn(VISIT_SQL, dimension);

export const visitSql = (dimension: VisitDimension): string => VISIT_SQL[dimension];
export const eventSql = (dimension: EventDimension, place: 'own' | 'entry'): string =>
  EVENT_SQL[dimension][place];
