// Engagement events whose session has not been seen yet: counted nowhere, kept lest their pageview
// come late. Read only by the projector, when it needs a visitor's events again.
import type { VisitEvent } from '../visit-event.js';
import { rowsProjection } from '../projection.js';

const keyOf = (site: string, event: VisitEvent) => [site, event.at, event.visitor, event.key] as const;

export const waiting = rowsProjection({
  name: 'waiting',
  meaning: 'Engagement events that arrived before any event of their session.',
  columns: {
    site: 'text',
    at: 'timestamptz',
    visitor: 'hash64',
    key: 'hash64',
    previous_visitor: 'hash64',
    partition: 'smallint',
    event: 'jsonb',
  },
  primaryKey: ['site', 'at', 'visitor', 'key'],
  indexes: [
    { columns: ['visitor'] },
    { columns: ['previous_visitor'], where: 'previous_visitor IS NOT NULL' },
  ],
  rows: (session, partition) =>
    session.waiting.map((event) => [
      ...keyOf(session.site, event),
      event.previousVisitor,
      partition,
      JSON.stringify(event),
    ]),
  keys: (session) => session.waiting.map((event) => [...keyOf(session.site, event)]),
});
