import { toCsv } from './csv.js';
import type { Report } from './report.js';

const csvOf = (results: Report['results']) =>
  toCsv({
    results,
    query: { dimensions: ['visit:source'], metrics: ['visits', 'bounce_rate'] },
  } as unknown as Report);

it('has a header and one line per result', () => {
  expect(csvOf([{ dimensions: ['Google'], metrics: [3, 43.5] }])).toBe(
    'visit:source,visits,bounce_rate\r\nGoogle,3,43.5\r\n',
  );
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('defuses %j', (value) => {
  expect(csvOf([{ dimensions: [value], metrics: [1, 0] }])).toContain(`'${value}`);
});

it('leaves numbers alone, negative ones too', () => {
  expect(csvOf([{ dimensions: ['a'], metrics: [-1, 0] }])).toContain('a,-1,0');
});

it('quotes what would break a line', () => {
  expect(csvOf([{ dimensions: ['a,"b"\n'], metrics: [1, 0] }])).toContain('"a,""b""\n",1,0');
});
