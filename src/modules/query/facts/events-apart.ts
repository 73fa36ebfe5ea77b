// Takes sessions apart into their events: the only place that knows how a row keeps them. An array
// that is null stands for the usual value of every event; what reads `e` fills that in.
import type { EventColumn } from '../vocabulary/dimensions.js';

const ARRAYS: Readonly<Record<EventColumn, string>> = {
  name: 'unnest(s.event_names)',
  page: 'unnest(s.event_pages)',
  hostname: 'unnest(s.event_hostnames)',
  event_visitor: 'unnest(s.event_visitors)',
  interactive: 'unnest(s.event_interactive)',
  engagement_ms: 'unnest(s.event_engagement_ms)',
  scroll_depth: 'unnest(s.event_scroll_depth)',
  props: 'jsonb_array_elements(s.event_props)',
  amount_micros: 'unnest(s.event_amounts_micros)',
  currency: 'unnest(s.event_currencies)',
};

/**
 * A select list over the session rows `s` that gives one row per event, in order of time, with the
 * wanted columns and what predicates over events need of their session. Make it the subquery `e`:
 *
 *     SELECT EVENT_NAME FROM (SELECT ${eventsApart(['name', 'page'])} ${matchingSessions(…)}) AS e
 *
 * It holds engagement events too (`IS_COUNTED` tells them apart), and events outside the range.
 */
export function eventsApart(wanted: Iterable<EventColumn>): string {
  const arrays = [...new Set<EventColumn>(['name', ...wanted])].map((name) => `${ARRAYS[name]} AS ${name}`);
  return [
    's.started_at, s.session, s.visitor, s.entry_page, s.entry_hostname',
    'unnest(s.event_offsets) AS moment',
    ...arrays,
  ].join(', ');
}

/** Over `e`. */
export const EVENT_AT = `(e.started_at + e.moment * interval '1 millisecond')`;
export const EVENT_NAME = `coalesce(e.name, 'pageview')`;
/** Needs the column `event_visitor`. */
export const EVENT_VISITOR = 'coalesce(e.event_visitor, e.visitor)';
/** Engagement measures attention: it is no event that anybody counts. */
export const IS_COUNTED = `e.name IS DISTINCT FROM 'engagement'`;
