import { readFileSync } from 'node:fs';
import { type ColumnType, columnsTable, jsonValue, parquetSchemaOf, parquetValue } from './export-columns.js';
import { EXPORTED_EVENT } from './exported-events.js';
import { EXPORTED_SESSION } from './exported-sessions.js';

const REFERENCE = readFileSync(new URL('../../../../docs/reference/exports.md', import.meta.url), 'utf8');

it.each([
  ['events', columnsTable(EXPORTED_EVENT)],
  ['sessions', columnsTable(EXPORTED_SESSION)],
])('of %s are in the reference as they are declared', (_, table) => {
  expect(REFERENCE).toContain(table);
});

it('have no name that says nothing about its unit, nor one of the inside', () => {
  const names = [...Object.keys(EXPORTED_EVENT), ...Object.keys(EXPORTED_SESSION)];
  expect(names.filter((name) => /^(carry|partition|other_visitor|site)$/.test(name))).toEqual([]);
  expect(names.filter((name) => /duration|engagement/.test(name) && !name.endsWith('_ms'))).toEqual([]);
});

it('say times as RFC 3339 in UTC, and everything else as it is', () => {
  expect(jsonValue('time', Date.UTC(2026, 10, 10, 9, 30))).toBe('2026-11-10T09:30:00.000Z');
  expect((['text', 'integer', 'flag', 'json'] as ColumnType[]).map((type) => jsonValue(type, null))).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(parquetValue('integer', 7)).toBe(7n);
  expect(parquetValue('time', null)).toBeNull();
});

it('are required in Parquet unless they are optional', () => {
  const [root, ...columns] = parquetSchemaOf('events', EXPORTED_EVENT);
  expect(root).toEqual({ name: 'events', num_children: columns.length });
  expect(
    columns.filter(({ repetition_type }) => repetition_type === 'REQUIRED').map(({ name }) => name),
  ).toEqual([...['session_id', 'event_index', 'visitor_id', 'occurred_at', 'name', 'interactive', 'bot']]);
});
