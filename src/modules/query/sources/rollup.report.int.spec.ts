// What the rollup does where its sketches are no longer exact. That it equals the facts otherwise
// is held by sources-agree.int.spec.ts.
import { createHash } from 'node:crypto';
import { startReadModels } from '../../../../test/read-model-rows.js';
import type { MigratedPostgres } from '../../../../test/servers/postgres.js';
import {
  changeSketch,
  EMPTY_SKETCH,
  encodeSketch,
  EXACT_VISITORS_MAX,
} from '../../projections/read-models/visitor-sketch.js';
import { inReadTransaction } from '../read-transaction.js';
import { normaliseQuery } from '../request/report-query.js';
import { parseReportRequest } from '../request/report-request.js';
import { groupsFromRollup } from './rollup.report.js';

const SESSIONS_MAX = 3_000_000;
const VISITORS = EXACT_VISITORS_MAX * 2;

let postgres: MigratedPostgres;
beforeAll(async () => {
  postgres = await startReadModels();
  await insertHour('small', 3_000);
  await insertHour('large', SESSIONS_MAX + 1);
});
afterAll(() => postgres.stop());

async function insertHour(site: string, sessions: number): Promise<void> {
  const ids = Array.from({ length: VISITORS }, (_, index): [string, number] => [
    createHash('sha256').update(`visitor ${index}`).digest('hex').slice(0, 16),
    1,
  ]);
  await postgres.pool.query(
    `INSERT INTO traffic_v1 (site, hour, bot, pageviews, events, sessions_started, sessions_active, visitors)
      VALUES ($1, '2026-11-10T10:00:00Z', false, 7, 9, $2, $2, $3)`,
    [site, sessions, encodeSketch(changeSketch(EMPTY_SKETCH, new Map(ids)))],
  );
}

function ask(site: string, metrics: readonly string[]) {
  const query = normaliseQuery(
    parseReportRequest({ metrics, date_range: ['2026-11-10', '2026-11-10'] }),
    { id: site },
    { zone: 'UTC', now: 0, earliest: null },
  );
  return inReadTransaction(postgres.pool, { site, timeoutMs: 10_000 }, (client) =>
    groupsFromRollup(client, query, { table: 'traffic_v1', sessionsMax: SESSIONS_MAX }),
  );
}

it('leaves counting visitors to the facts while they are few enough sessions', async () => {
  expect(await ask('small', ['visitors', 'visits'])).toEqual({ outcome: 'sketches-inexact' });
});

it('answers all the same when nobody asks for visitors', async () => {
  const answer = await ask('small', ['visits', 'events']);
  expect(answer).toMatchObject({
    outcome: 'answered',
    visitorsEstimated: false,
    groups: { groups: [{ counters: { visits: 3_000, events: 9 } }] },
  });
});

it('estimates, and says so, beyond the budget of sessions', async () => {
  const answer = await ask('large', ['visitors']);
  if (answer.outcome !== 'answered') throw new Error(answer.outcome);
  expect(answer.visitorsEstimated).toBe(true);
  const { visitors } = answer.groups.groups[0]!.counters;
  expect(Math.abs(visitors / VISITORS - 1)).toBeLessThan(0.04);
});
