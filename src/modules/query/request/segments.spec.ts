import { Problem } from '../../../http/problem.js';
import { filterToWire } from './filters.js';
import { parseReportRequest } from './report-request.js';
import { withSegments } from './segments.js';

const SAVED: Readonly<Record<string, readonly unknown[]>> = {
  dach: [['is', 'visit:country', ['DE', 'AT', 'CH']]],
  mobile: [
    ['is', 'visit:device', ['Mobile']],
    ['contains', 'event:page', ['/m']],
  ],
  nested: [['not', ['is', 'segment', ['dach']]]],
  many: Array.from({ length: 30 }, () => ['is', 'visit:os', ['x']]),
  empty: [],
  buyers: [['has_done', ['is', 'event:name', ['Purchase']]]],
  old: [['is', 'visit:shoe', ['x']]],
  '7': [['is', 'visit:os', ['Linux']]],
};
const definitions = {
  segmentOf: (site: string, id: string) =>
    site === 'site' && Object.hasOwn(SAVED, id) ? { id, name: id, filters: SAVED[id]! } : undefined,
};

const resolve = (filters: readonly unknown[], site = 'site') =>
  withSegments(parseReportRequest({ metrics: ['visits'], date_range: '7d', filters }), {
    site,
    definitions,
  }).filters.map(filterToWire);

const segment = (...ids: readonly (string | number)[]) => ['is', 'segment', ids];
const os = ['is', 'visit:os', ['Linux']];

it('puts the filters of a segment in its place', () => {
  expect(resolve([os, segment('mobile'), segment(7)])).toEqual([os, ...SAVED.mobile!, os]);
});

it('keeps them together anywhere else', () => {
  expect(resolve([['or', [os, ['not', segment('mobile')]]]])).toEqual([
    ['or', [os, ['not', ['and', SAVED.mobile]]]],
  ]);
});

it('takes several ids as one or another', () => {
  expect(resolve([segment('dach', 'mobile')])).toEqual([['or', [SAVED.dach![0], ['and', SAVED.mobile]]]]);
});

it('leaves requests without segments alone', () => {
  expect(resolve([os])).toEqual([os]);
});

it.each([
  ['an unknown one', [segment('nowhere')], 400, 'filters[0][2][0]'],
  [
    'an unknown one in a tree',
    [['and', [os, ['not', segment('dach', 'nowhere')]]]],
    400,
    'filters[0][1][1][1][2][1]',
  ],
  ['one that names another', [segment('nested')], 400, 'filters[0][2][0]'],
  ['one without filters', [segment('empty')], 400, 'filters[0][2][0]'],
  ['one with names that are gone', [segment('old')], 400, 'filters[0][2][0]'],
  ['what becomes too much', [segment('many'), segment('many')], 422, 'filters'],
  ['one that cannot stand there', [['has_done', segment('buyers')]], 400, 'filters[0][1]'],
  ['no id', [segment()], 400, 'filters[0][2]'],
  ['another operator', [['contains', 'segment', ['dach']]], 400, 'filters[0][0]'],
])('refuses %s', (_, filters, status, path) => {
  let refused: unknown;
  try {
    resolve(filters);
  } catch (error) {
    refused = error;
  }
  expect((refused as Problem).options).toMatchObject({ status, errors: [{ path }] });
});

it("does not know another site's", () => {
  expect(() => resolve([segment('dach')], 'elsewhere')).toThrow(Problem);
});
