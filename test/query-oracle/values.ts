// What each dimension says of a visit or of one of its events, as text that an answer shows. A dimension
// says one thing, but for goals: an event may reach none, one or several.
import type { Goal } from '../../src/modules/query/vocabulary/goal.js';
import { naiveMedium, naiveSourceMedium } from '../naive-medium.js';
import type { Hit, Visit } from './visits.js';

const NOT_SET = '(not set)';
const DIRECT = 'Direct / None';
const MISSING: Readonly<Record<string, string>> = { source: DIRECT, referrer: DIRECT, channel: 'Direct' };
const COUNTRIES: Readonly<Record<string, string>> = {
  AT: 'Austria',
  DE: 'Germany',
  IN: 'India',
  TR: 'Türkiye',
  US: 'United States',
};
const PROPERTY = 'event:props:';

export const isOfEvents = (dimension: string): boolean => dimension.startsWith('event:');
export const isOfTime = (dimension: string): boolean => dimension === 'time' || dimension.startsWith('time:');

export function visitValue(visit: Visit, dimension: string): string {
  switch (dimension) {
    case 'visit:bot':
      return String(visit.bot);
    case 'visit:bot_name':
      return (visit.bot ? visit.about.browser : null) ?? NOT_SET;
    case 'visit:bot_kind':
      return (visit.bot ? visit.about.device : null) ?? NOT_SET;
    case 'visit:entry_page':
      return visit.entry?.page ?? NOT_SET;
    case 'visit:exit_page':
      return visit.exit?.page ?? NOT_SET;
    case 'visit:entry_page_hostname':
      return visit.entry?.hostname ?? NOT_SET;
    case 'visit:exit_page_hostname':
      return visit.exit?.hostname ?? NOT_SET;
    case 'visit:country_name':
      return COUNTRIES[visit.about.country ?? ''] ?? visit.about.country ?? NOT_SET;
    case 'visit:medium':
      return naiveMedium(visit.about);
    case 'visit:source_medium':
      return naiveSourceMedium(visit.about);
    case 'visit:region_name':
    case 'visit:city_name':
      return visitValue(visit, dimension.slice(0, -'_name'.length));
  }
  const name = dimension.slice('visit:'.length);
  return visit.about[name] ?? MISSING[name] ?? NOT_SET;
}

export interface Asked {
  readonly dimension: string;
  /** The page and host that the visit entered at stand in the event's place. */
  readonly asEntry: boolean;
  readonly goals: readonly Goal[];
}

export function hitValues(visit: Visit, hit: Hit, { dimension, asEntry, goals }: Asked): readonly string[] {
  switch (dimension) {
    case 'event:name':
      return [hit.name];
    case 'event:page':
      return [(asEntry ? visit.entry?.page : hit.page) ?? NOT_SET];
    case 'event:hostname':
      return [(asEntry ? null : hit.hostname) ?? visit.entry?.hostname ?? NOT_SET];
    case 'event:goal':
      return goals.filter((goal) => reaches(hit, goal)).map(({ name }) => name);
  }
  if (!dimension.startsWith(PROPERTY)) return [visitValue(visit, dimension)];
  return [hit.props.get(dimension.slice(PROPERTY.length)) ?? '(none)'];
}

export function reaches(hit: Hit, { match }: Goal): boolean {
  if (!Object.entries(match.props).every(([name, value]) => hit.props.get(name) === value)) return false;
  if (match.kind === 'event') return hit.name === match.name;
  if (hit.page === null || !isLike(hit.page, match.page)) return false;
  if (match.kind === 'page') return hit.name === 'pageview';
  return hit.engagement && hit.scrollDepth !== null && hit.scrollDepth >= match.scrollDepth;
}

/** `*`: any characters. */
function isLike(text: string, wildcard: string): boolean {
  const parts = wildcard
    .split('*')
    .map((part) => part.replaceAll(/[^\w]/g, (sign) => `\\u{${sign.codePointAt(0)!.toString(16)}}`));
  return new RegExp(`^${parts.join('.*')}$`, 'su').test(text);
}
