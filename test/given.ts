// given(projection, events).when(more events).thenRows(rows): what one projection's table holds
// after some events and then others, without a database. Times are 'HH:MM' of one UTC day.
import type { ColumnValue } from '../src/postgres/binary-copy.js';
import { DIRECT, NOWHERE, type VisitEvent } from '../src/modules/projections/visit-event.js';
import type {
  DeclaredCounters,
  DeclaredProjection,
  DeclaredRows,
} from '../src/modules/projections/projection.js';
import { addEvents, type Session, type Timeline } from '../src/modules/projections/sessionizer.js';
import { eventKey } from '../src/modules/projections/interpret/event-key.js';

const DAY = Date.UTC(2026, 10, 1);
const SITE = 'shop';

export const at = (time: string): number => {
  const [hours, minutes] = time.split(':').map(Number);
  return DAY + (hours! * 60 + minutes!) * 60_000;
};

const BROWSER = {
  browser: 'Firefox',
  browserVersion: '145',
  os: 'Linux',
  osVersion: null,
  device: 'Desktop',
  screen: null,
  language: null,
  bot: false,
};

let made = 0;

export function event(time: string, change: Partial<VisitEvent> = {}): VisitEvent {
  return {
    key: eventKey(`event ${made++}`),
    at: at(time),
    receivedAt: at(time),
    visitor: '00000000000000a1',
    previousVisitor: null,
    name: 'pageview',
    page: '/',
    hostname: 'shop.example',
    interactive: true,
    engagementMs: null,
    scrollDepth: null,
    props: null,
    amount: null,
    currency: null,
    origin: DIRECT,
    client: BROWSER,
    place: NOWHERE,
    ...change,
  };
}

export const pageview = (time: string, change: Partial<VisitEvent> = {}): VisitEvent => event(time, change);
export const engagement = (time: string, change: Partial<VisitEvent> = {}): VisitEvent =>
  event(time, { name: 'engagement', engagementMs: 5_000, ...change });
export const custom = (time: string, change: Partial<VisitEvent> = {}): VisitEvent =>
  event(time, { name: 'signup', ...change });

type Row = Readonly<Record<string, unknown>>;

export function given(projection: DeclaredProjection, ...first: VisitEvent[]) {
  return {
    thenRows: (rows: readonly Row[]) => expectRows(projection, [first], rows),
    when: (...more: VisitEvent[]) => ({
      thenRows: (rows: readonly Row[]) => expectRows(projection, [first, more], rows),
    }),
  };
}

/** The named columns of the rows, in key order; columns that the expectation leaves out do not matter. */
function expectRows(
  projection: DeclaredProjection,
  arrivals: readonly VisitEvent[][],
  expected: readonly Row[],
): void {
  const table =
    projection.kind === 'rows' ? rowsTable(projection, arrivals) : countersTable(projection, arrivals);
  const keys = [...table.keys()].sort();
  expect(keys.map((key) => table.get(key))).toEqual(expected.map((row) => expect.objectContaining(row)));
}

/** The sessions of all visitors after each arrival, as changes. */
function changes(
  arrivals: readonly VisitEvent[][],
): { before: readonly Session[]; after: readonly Session[] }[] {
  const visitors = [
    ...new Set(arrivals.flat().flatMap(({ visitor, previousVisitor }) => [visitor, previousVisitor])),
  ];
  let timelines: readonly Timeline[] = visitors
    .filter((visitor) => visitor !== null)
    .map((visitor) => ({ site: SITE, visitor, pieces: [], sessions: [] }));
  return arrivals.map((events) => {
    const change = addEvents(timelines, events);
    timelines = change.timelines;
    return change;
  });
}

function rowsTable(projection: DeclaredRows, arrivals: readonly VisitEvent[][]): Map<string, Row> {
  const table = new Map<string, Row>();
  const columns = Object.keys(projection.columns);
  for (const { before, after } of changes(arrivals)) {
    for (const session of before)
      for (const key of projection.keys(session)) table.delete(JSON.stringify(key));
    for (const session of after) {
      const keys = projection.keys(session);
      for (const [index, values] of projection.rows(session, 3).entries()) {
        const row = Object.fromEntries(
          columns.map((column, place) => [column, values[place] as ColumnValue]),
        );
        expect(projection.primaryKey.map((column) => row[column])).toEqual(keys[index]);
        table.set(JSON.stringify(keys[index]), row);
      }
    }
  }
  return table;
}

function countersTable(projection: DeclaredCounters, arrivals: readonly VisitEvent[][]): Map<string, Row> {
  const sums = new Map<string, { row: Record<string, unknown>; visitors: Map<string, number> }>();
  for (const { before, after } of changes(arrivals)) {
    for (const [sessions, sign] of [
      [before, -1],
      [after, 1],
    ] as const) {
      for (const contribution of sessions.flatMap((session) => projection.contributions(session))) {
        const id = JSON.stringify(contribution.key);
        const known = sums.get(id) ?? { row: keyed(projection, contribution.key), visitors: new Map() };
        sums.set(id, known);
        for (const [index, column] of projection.sums.entries()) {
          known.row[column] = ((known.row[column] as number) ?? 0) + sign * contribution.sums[index]!;
        }
        for (const visitor of contribution.visitors) {
          known.visitors.set(visitor, (known.visitors.get(visitor) ?? 0) + sign);
        }
      }
    }
  }
  const table = new Map<string, Row>();
  for (const [id, { row, visitors }] of sums) {
    const seen = [...visitors.values()].filter((sessions) => sessions > 0).length;
    if (projection.sums.some((column) => row[column] !== 0)) table.set(id, { ...row, visitors: seen });
  }
  return table;
}

const keyed = (projection: DeclaredCounters, key: readonly unknown[]): Record<string, unknown> =>
  Object.fromEntries(projection.primaryKey.slice(0, -1).map((column, index) => [column, key[index]]));
