// Site × UTC hour: answers every unfiltered series from a handful of rows, whatever the traffic.
// A session is one interval, so over a range of hours the sessions active in it are those active
// in the first hour plus those started later; hence every session counter exists twice.
import { isEngagement } from '../visit-event.js';
import { type Contribution, countersProjection } from '../projection.js';
import type { Session } from '../sessionizer.js';

const HOUR_MS = 3_600_000;
const hourOf = (at: number): number => at - (((at % HOUR_MS) + HOUR_MS) % HOUR_MS);

const SUMS = [
  'pageviews',
  'events',
  'sessions_started',
  'sessions_active',
  'bounces_started',
  'bounces_active',
  'duration_started_ms',
  'duration_active_ms',
] as const;

export const traffic = countersProjection({
  name: 'traffic',
  meaning:
    'Pageviews, events, sessions, bounces, durations and a sketch of the visitors by site and UTC hour.',
  columns: {
    site: 'text',
    hour: 'timestamptz',
    bot: 'boolean',
    partition: 'smallint',
    pageviews: 'bigint',
    events: 'bigint',
    sessions_started: 'bigint',
    sessions_active: 'bigint',
    bounces_started: 'bigint',
    bounces_active: 'bigint',
    duration_started_ms: 'bigint',
    duration_active_ms: 'bigint',
    visitors: 'bytea',
  },
  primaryKey: ['site', 'hour', 'bot', 'partition'],
  sums: SUMS,
  sketch: 'visitors',
  contributions,
});

function contributions(session: Session): readonly Contribution[] {
  const [first] = session.events;
  if (first === undefined) return [];
  const byHour = new Map<number, { pageviews: number; events: number; visitors: string[] }>();
  for (const event of session.events) {
    if (isEngagement(event)) continue;
    const hour = hourOf(event.at);
    let said = byHour.get(hour);
    if (said === undefined) byHour.set(hour, (said = { pageviews: 0, events: 0, visitors: [] }));
    said.events++;
    if (event.name === 'pageview') said.pageviews++;
    if (!said.visitors.includes(event.visitor)) said.visitors.push(event.visitor);
  }
  const bounce = session.bounced ? 1 : 0;
  const durationMs = session.endedAt - session.startedAt;
  const startHour = hourOf(session.startedAt);
  const result: Contribution[] = [];
  for (let hour = startHour; hour <= session.endedAt; hour += HOUR_MS) {
    const said = byHour.get(hour);
    const started = hour === startHour ? 1 : 0;
    result.push({
      key: [session.site, hour, first.client.bot],
      sums: [
        said?.pageviews ?? 0,
        said?.events ?? 0,
        started,
        1,
        started * bounce,
        bounce,
        started * durationMs,
        durationMs,
      ],
      visitors: said?.visitors ?? [],
    });
  }
  return result;
}
