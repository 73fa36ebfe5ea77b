import { askedBytes } from './byte-range.js';

const whole = { bytes: 1_000, etag: '"abc"', lastModified: new Date('2026-11-20T12:00:00Z') };
const ask = (range?: string, ifRange?: string, bytes = whole.bytes) =>
  askedBytes({ range, 'if-range': ifRange }, { ...whole, bytes });
const part = (from: number, to: number) => ({ outcome: 'part', span: { from, to } });
const ALL = { outcome: 'all' };
const NONE = { outcome: 'unsatisfiable' };

it.each<[string, object]>([
  ['bytes=0-', part(0, 1_000)],
  ['bytes=400-', part(400, 1_000)],
  ['bytes=0-0', part(0, 1)],
  ['Bytes=10-19', part(10, 20)],
  ['bytes=990-5000', part(990, 1_000)],
  ['bytes=-10', part(990, 1_000)],
  ['bytes=-5000', part(0, 1_000)],
])('gives what %s names', (range, expected) => {
  expect(ask(range)).toEqual(expected);
});

it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('has nothing for %s', (range) => {
  expect(ask(range)).toEqual(NONE);
});

it.each([
  'bytes=20-10',
  'bytes=-',
  'bytes=a-b',
  'lines=0-5',
  'bytes=0-5,10-15',
  'bytes=0-99999999999999999999',
  'bytes',
  '',
])('gives everything for %j, as whoever does not understand it may', (range) => {
  expect(ask(range)).toEqual(ALL);
});

it('gives everything to who asks for no range, and no range of nothing', () => {
  expect(ask()).toEqual(ALL);
  expect(ask('bytes=0-', undefined, 0)).toEqual(NONE);
  expect(ask('bytes=-5', undefined, 0)).toEqual(NONE);
});

it.each<[string, object]>([
  ['"abc"', part(5, 1_000)],
  ['Fri, 20 Nov 2026 12:00:00 GMT', part(5, 1_000)],
  ['"other"', ALL],
  ['W/"abc"', ALL],
  ['Fri, 20 Nov 2026 12:00:01 GMT', ALL],
  ['yesterday', ALL],
])('heeds If-Range: %s', (ifRange, expected) => {
  expect(ask('bytes=5-', ifRange)).toEqual(expected);
});
