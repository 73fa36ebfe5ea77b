import { Problem } from '../../../http/problem.js';
import { readCursor, writeCursor } from './difference-cursor.js';

const VERSIONS = { name: 'sessions', a: 1, b: 2 };
const LAST = { size: 12.345, site: 'böse "Seite"', date: '2026-11-20', metric: 'visit_duration_s' };

it('is read as it was written', () => {
  expect(readCursor(writeCursor(VERSIONS, LAST), VERSIONS)).toEqual(LAST);
});

it.each([
  ['of another projection', writeCursor({ ...VERSIONS, name: 'traffic' }, LAST)],
  ['of another version', writeCursor({ ...VERSIONS, b: 3 }, LAST)],
  ['of a day that does not exist', writeCursor(VERSIONS, { ...LAST, date: '2026-11-40' })],
  ['of a size that is none', writeCursor(VERSIONS, { ...LAST, size: '1' as unknown as number })],
  ['with something added', `${writeCursor(VERSIONS, LAST)}AA`],
  ['that is no JSON', 'abc'],
  ['that is no list', Buffer.from('null').toString('base64url')],
  ['that is empty', ''],
])('is refused when it is one %s', (_, cursor) => {
  expect(() => readCursor(cursor, VERSIONS)).toThrow(Problem);
});
