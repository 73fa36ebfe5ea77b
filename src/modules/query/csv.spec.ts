import { tableToCsv, toCsv } from './csv.js';
import type { Report } from './report.js';

const csvOf = (results: Report['results']) =>
  toCsv({
    results,
    meta: {},
    query: { dimensions: ['visit:source'], metrics: ['visits', 'bounce_rate'], include: {} },
  } as unknown as Report);

it('has a header and one line per result', () => {
  expect(csvOf([{ dimensions: ['Google'], metrics: [3, 43.5] }])).toBe(
    'visit:source,visits,bounce_rate\r\nGoogle,3,43.5\r\n',
  );
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '\nx', '\uff1dx'])('defuses %j', (value) => {
  expect(csvOf([{ dimensions: [value], metrics: [1, 0] }])).toContain(`'${value}`);
});

it('defuses headers, too, and keeps tabs from becoming cells', () => {
  const csv = tableToCsv({ columns: ['=cmd()', 'b\t=1'], rows: [['x\t=cmd()', ';=1']] });
  expect(csv).toBe(`'=cmd(),"b\t=1"\r\n"x\t=cmd()",";=1"\r\n`);
});

it('leaves numbers alone, negative ones too', () => {
  expect(csvOf([{ dimensions: ['a'], metrics: [-1, 0] }])).toContain('a,-1,0');
});

it('quotes what would break a line', () => {
  expect(csvOf([{ dimensions: ['a,"b"\n'], metrics: [1, 0] }])).toContain('"a,""b""\n",1,0');
});

it('has what is compared after the metrics, and the totals after the rows', () => {
  const comparison = { metrics: [4, null], change: [-25, null] };
  const report = {
    results: [{ dimensions: ['Google', '=1'], metrics: [3, 40], comparison }],
    meta: { totals: { metrics: [9, 33], comparison: { metrics: [8, 30], change: [12, 3] } } },
    query: {
      dimensions: ['visit:source', 'visit:city'],
      metrics: ['visits', 'bounce_rate'],
      include: { compare: ['2026-11-01', '2026-11-02'] },
    },
  };
  expect(toCsv(report as unknown as Report).split('\r\n')).toEqual([
    'visit:source,visit:city,visits,bounce_rate,comparison:visits,comparison:bounce_rate,change:visits,change:bounce_rate',
    "Google,'=1,3,40,4,,-25,",
    'Total,,9,33,8,30,12,3',
    '',
  ]);
});

it('keeps the currency of an amount beside the number', () => {
  const report = {
    results: [
      { dimensions: [], metrics: [{ value: -12.5, currency: 'EUR' }] },
      { dimensions: [], metrics: [null] },
    ],
    meta: {},
    query: { dimensions: [], metrics: ['total_revenue'], include: {} },
  };
  expect(toCsv(report as unknown as Report)).toBe(
    'total_revenue,total_revenue:currency\r\n-12.5,EUR\r\n,\r\n',
  );
});
