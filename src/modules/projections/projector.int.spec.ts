// How much a projector takes at a time: what bounds its memory, whatever events are like.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog, project } from '../../../test/projecting.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import type { TrackedEvent } from '../../events/tracked-event.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import { CATALOG } from '../../../test/catalog.js';
import { ProjectionsTelemetry, type RunCommitted } from './projections.telemetry.js';
import { createReadModelTables } from './read-model-tables.js';

const BATCH_EVENTS = 10;
const FLUSH_EVENTS_MAX = 1_000;
const AT = Date.UTC(2026, 10, 20, 9);

let postgres: MigratedPostgres;
beforeAll(async () => {
  postgres = await startMigratedPostgres();
  await createReadModelTables(postgres.pool, CATALOG);
});
beforeEach(() => postgres.pool.query('TRUNCATE sessions_v1, waiting_v1, traffic_v1, checkpoints'));
afterAll(() => postgres?.stop());

/** Of visitors who come once each. */
function eventOf(index: number, change: Partial<TrackedEvent> = {}): TrackedEvent {
  return {
    id: `event ${index}`,
    site: 'shop',
    name: 'pageview',
    occurredAt: AT + index,
    receivedAt: AT + index,
    visitor: index.toString(16).padStart(16, '0'),
    url: `https://shop.example/products/${index}`,
    ...change,
  };
}

/** The runs in which a log that is there already is projected. */
async function runsOf(events: readonly TrackedEvent[]): Promise<RunCommitted[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-runs-'));
  const log = openLog(directory, 1);
  const lines: string[] = [];
  const telemetry = new ProjectionsTelemetry(new Telemetry('debug', { write: (line) => lines.push(line) }));
  try {
    for (let start = 0; start < events.length; start += BATCH_EVENTS) {
      await log.append(0, events.slice(start, start + BATCH_EVENTS));
    }
    const projecting = project(log, postgres.pool, {
      telemetry,
      flushEventsMax: FLUSH_EVENTS_MAX,
      flushIntervalMs: 2_000,
    });
    await projecting.caughtUp();
    await projecting.stop();
  } finally {
    await log.close();
    await rm(directory, { recursive: true });
  }
  return lines
    .map((line) => JSON.parse(line) as RunCommitted & { readonly msg: string })
    .filter(({ msg }) => msg === 'run committed');
}

describe('a run', () => {
  it('is small at first, as nobody knows how long the sessions are, and grows to its bound', async () => {
    const sizes = (await runsOf(Array.from({ length: 4_000 }, (_, index) => eventOf(index)))).map(
      ({ events }) => events,
    );
    expect(sizes[0]).toBeLessThanOrEqual(200);
    expect(Math.max(...sizes)).toBe(FLUSH_EVENTS_MAX);
  });

  it('has as many fewer events as their texts are longer', async () => {
    const props = { text: 'x'.repeat(2_000), more: 'x'.repeat(2_000) };
    const runs = await runsOf(Array.from({ length: 2_000 }, (_, index) => eventOf(index, { props })));
    expect(Math.max(...runs.map(({ events }) => events))).toBeLessThanOrEqual(
      FLUSH_EVENTS_MAX / 8 + BATCH_EVENTS,
    );
  });
});

it('notes up to which position the sessions of a period have changed', async () => {
  await postgres.pool.query('TRUNCATE changed_periods_v1');
  const hour = 3_600_000;
  const visitor = eventOf(1).visitor;
  // One session from before noon to after it; one of another site in the morning.
  const noon = Date.UTC(2026, 10, 20, 12);
  await runsOf([
    ...[-20, 5].map((minutes, index) =>
      eventOf(index, { visitor, occurredAt: noon + minutes * 60_000, receivedAt: noon + hour }),
    ),
    eventOf(2, { site: 'blog' }),
  ]);
  const { rows } = await postgres.pool.query(
    `SELECT site, period, position = (SELECT position FROM checkpoints WHERE projection = 'sessions') AS current
      FROM changed_periods_v1 ORDER BY site, period`,
  );
  expect(rows).toEqual([
    { site: 'blog', period: new Date(noon - 4 * hour), current: true },
    { site: 'shop', period: new Date(noon - 4 * hour), current: true },
    { site: 'shop', period: new Date(noon), current: true },
  ]);
});
