// GA4's dimensions and what they mean here: the table that translates both ways and is what getMetadata
// shows. A dimension is read off the native time bucket, or is a native dimension with a few of its
// values renamed, or a join of others.
import {
  BOTH,
  describe,
  type Described,
  namesKnownTo,
  REALTIME,
  CORE,
  type ReportKind,
  type Text,
} from './described.js';
import { type Granule, ORDERED, TIME_FORMATS, type TimeFormat } from './time-dimensions.js';

export interface NativeValues {
  readonly native: string;
  /** Native values that GA4 calls otherwise. */
  readonly renamed: Readonly<Record<string, string>>;
  /** Where all values are written otherwise: one of GA4's as a native one. */
  readonly toNative?: (value: string) => string;
}

type DimensionMeaning =
  | {
      readonly kind: 'time';
      readonly granule: Granule;
      readonly format: TimeFormat;
      readonly ordered: boolean;
      /** What says the same of events in all buckets; null: nothing does. */
      readonly clock: NativeValues | null;
    }
  | ({ readonly kind: 'value' } & NativeValues)
  | { readonly kind: 'joined'; readonly of: readonly string[]; readonly delimiter: string };

export type DimensionEntry = Described & DimensionMeaning;

const shown = (native: string, renamed: NativeValues['renamed'] = {}): NativeValues => ({ native, renamed });
const WEEKDAYS = { 1: 'Monday', 2: 'Tuesday', 3: 'Wednesday', 4: 'Thursday', 5: 'Friday', 6: 'Saturday' };
const CLOCKS: Readonly<Partial<Record<keyof typeof TIME_FORMATS, NativeValues>>> = {
  date: { ...shown('event:date'), toNative: (text) => text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') },
  minute: shown('event:minute_of_hour'),
  hour: shown('event:hour_of_day'),
  day: shown('event:day_of_month'),
  dayOfWeek: shown('event:day_of_week', { 7: '0' }),
  dayOfWeekName: shown('event:day_of_week', { ...WEEKDAYS, 7: 'Sunday' }),
  month: shown('event:month_of_year'),
};

const NOT_SET = { '(none)': '(not set)' };
const time = (granule: Granule, name: keyof typeof TIME_FORMATS, text: Text): DimensionEntry => ({
  ...describe(text, 'Time', name === 'minutesAgo' ? REALTIME : CORE),
  kind: 'time',
  granule,
  format: TIME_FORMATS[name],
  ordered: ORDERED.has(name),
  clock: CLOCKS[name] ?? null,
});

const value = (native: string, described: Described, renamed: Readonly<Record<string, string>> = {}) =>
  ({ ...described, kind: 'value', native, renamed }) as const;

const joined = (of: readonly string[], delimiter: string, described: Described) =>
  ({ ...described, kind: 'joined', of, delimiter }) as const;

const SOURCE = 'Traffic source';
const DIRECT = { 'Direct / None': '(direct)' };
const DEVICES = { Desktop: 'desktop', Mobile: 'mobile', Tablet: 'tablet', TV: 'smart tv' };

const DIMENSIONS: Readonly<Record<string, DimensionEntry>> = {
  date: time('day', 'date', ['Date', 'The day, as YYYYMMDD.']),
  dateHour: time('hour', 'dateHour', ['Date + hour', 'Day and hour, as YYYYMMDDHH.']),
  dateHourMinute: time('minute', 'dateHourMinute', [
    'Date hour and minute',
    'Day, hour and minute, as YYYYMMDDHHMM.',
  ]),
  minute: time('minute', 'minute', ['Minute', 'The minute of the hour, 00 to 59.']),
  hour: time('hour', 'hour', ['Hour', 'The hour of the day, 00 to 23.']),
  day: time('day', 'day', ['Day', 'The day of the month, 01 to 31.']),
  dayOfWeek: time('day', 'dayOfWeek', ['Day of week', 'The day of the week, 0 for Sunday to 6.']),
  dayOfWeekName: time('day', 'dayOfWeekName', ['Day of week name', 'The day of the week in English.']),
  week: time('sunday-week', 'week', ['Week', 'The week of the year, 01 to 53; weeks begin on Sunday.']),
  yearWeek: time('sunday-week', 'yearWeek', ['Year week', 'Year and week, as YYYYWW.']),
  isoWeek: time('monday-week', 'isoWeek', ['ISO week of the year', 'The ISO 8601 week, 01 to 53.']),
  isoYear: time('monday-week', 'isoYear', ['ISO year', 'The year that the ISO 8601 week belongs to.']),
  isoYearIsoWeek: time('monday-week', 'isoYearIsoWeek', ['ISO week of ISO year', 'Both, as YYYYWW.']),
  month: time('month', 'month', ['Month', 'The month of the year, 01 to 12.']),
  yearMonth: time('month', 'yearMonth', ['Year month', 'Year and month, as YYYYMM.']),
  year: time('year', 'year', ['Year', 'The year, four digits.']),
  nthDay: time('day', 'nthDay', ['Nth day', "Days since the date range's first, 0000 for that one."]),
  nthMonth: time('month', 'nthMonth', [
    'Nth month',
    "Months since the date range's first, 0000 for that one.",
  ]),
  minutesAgo: time('minute', 'minutesAgo', [
    'Realtime minutes ago',
    'Minutes before the present one, which is 00.',
  ]),
  pagePath: value('event:page', describe(['Page path', 'The path of the page, without query.'], 'Page')),
  unifiedPagePathScreen: value(
    'event:page',
    describe(['Page path and screen class', 'The path of the page.'], 'Page'),
  ),
  unifiedScreenName: value(
    'event:page',
    describe(['Page title and screen name', 'The path of the page: titles are not kept.'], 'Page', REALTIME),
  ),
  hostName: value('event:hostname', describe(['Hostname', 'The host name of the page.'], 'Page')),
  landingPage: value(
    'visit:entry_page',
    describe(['Landing page', 'The path of the first page of the session.'], 'Page'),
  ),
  eventName: value('event:name', describe(['Event name', 'The name of the event.'], 'Event', BOTH), {
    pageview: 'page_view',
  }),
  sessionSource: value(
    'visit:source',
    describe(['Session source', 'Where the session came from.'], SOURCE),
    DIRECT,
  ),
  sessionMedium: value(
    'visit:medium',
    describe(['Session medium', 'The tagged medium, else (none), organic, referral or cpc.'], SOURCE),
  ),
  sessionSourceMedium: value(
    'visit:source_medium',
    describe(['Session source / medium', 'Both, joined.'], SOURCE),
  ),
  sessionCampaignName: value(
    'visit:utm_campaign',
    describe(['Session campaign', 'The campaign that the link was tagged with.'], SOURCE),
  ),
  sessionDefaultChannelGroup: value(
    'visit:channel',
    describe(['Session default channel group', 'The kind of source.'], SOURCE),
  ),
  sessionPrimaryChannelGroup: value(
    'visit:channel',
    describe(['Session primary channel group', 'The kind of source.'], SOURCE),
  ),
  sessionManualSource: value(
    'visit:utm_source',
    describe(['Session manual source', 'The value of utm_source.'], SOURCE),
  ),
  sessionManualMedium: value(
    'visit:utm_medium',
    describe(['Session manual medium', 'The value of utm_medium.'], SOURCE),
  ),
  sessionManualCampaignName: value(
    'visit:utm_campaign',
    describe(['Session manual campaign name', 'The value of utm_campaign.'], SOURCE),
  ),
  sessionManualTerm: value(
    'visit:utm_term',
    describe(['Session manual term', 'The value of utm_term.'], SOURCE),
  ),
  sessionManualAdContent: value(
    'visit:utm_content',
    describe(['Session manual ad content', 'The value of utm_content.'], SOURCE),
  ),
  country: value(
    'visit:country_name',
    describe(['Country', 'The name of the visitor’s country.'], 'Geography', BOTH),
  ),
  countryId: value(
    'visit:country',
    describe(['Country ID', 'The ISO 3166-1 alpha-2 code of the country.'], 'Geography', BOTH),
  ),
  region: value('visit:region_name', describe(['Region', 'The visitor’s region.'], 'Geography')),
  city: value('visit:city_name', describe(['City', 'The visitor’s city.'], 'Geography', BOTH)),
  deviceCategory: value(
    'visit:device',
    describe(['Device category', 'desktop, mobile, tablet or smart tv.'], 'Platform / device', BOTH),
    DEVICES,
  ),
  browser: value('visit:browser', describe(['Browser', 'The name of the browser.'], 'Platform / device')),
  operatingSystem: value(
    'visit:os',
    describe(['Operating system', 'The name of the operating system.'], 'Platform / device'),
  ),
  operatingSystemVersion: value(
    'visit:os_version',
    describe(['OS version', 'The version of the operating system.'], 'Platform / device'),
  ),
  operatingSystemWithVersion: joined(
    ['operatingSystem', 'operatingSystemVersion'],
    ' ',
    describe(['Operating system with version', 'Both, joined.'], 'Platform / device'),
  ),
  screenResolution: value(
    'visit:screen',
    describe(['Screen resolution', 'The size of the screen.'], 'Platform / device'),
  ),
  languageCode: value(
    'visit:language',
    describe(['Language code', "The language of the visitor's browser."], 'Platform / device'),
  ),
};

const CUSTOM_EVENT = /^customEvent:(.+)$/s;

export function dimensionOf(name: string, report: ReportKind): DimensionEntry | undefined {
  if (Object.hasOwn(DIMENSIONS, name)) {
    const entry = DIMENSIONS[name]!;
    return entry.reports.includes(report) ? entry : undefined;
  }
  const property = report === 'core' ? CUSTOM_EVENT.exec(name)?.[1] : undefined;
  if (property === undefined) return undefined;
  const described = describe([property, 'A property of events.'], 'Custom');
  return value(`event:props:${property}`, described, NOT_SET);
}

export const dimensionNames = (report: ReportKind): readonly string[] => namesKnownTo(DIMENSIONS, report);
