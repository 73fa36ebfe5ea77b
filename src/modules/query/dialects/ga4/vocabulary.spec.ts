import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseReportRequest } from '../../request/report-request.js';
import { NATIVE_TIME } from './time-dimensions.js';
import { dimensionNames, dimensionOf } from './dimension-vocabulary.js';
import type { ReportKind } from './described.js';
import { metricNames, metricOf } from './metric-vocabulary.js';

const REPORTS: readonly ReportKind[] = ['core', 'realtime'];

describe.each(REPORTS)('of %s reports', (report) => {
  it.each(dimensionNames(report))('the dimension %s is known natively', (name) => {
    const entry = dimensionOf(name, report)!;
    const parts = entry.kind === 'joined' ? entry.of.map((part) => dimensionOf(part, report)!) : [entry];
    for (const part of parts) {
      const native =
        part.kind === 'time' ? NATIVE_TIME[part.granule].dimension : part.kind === 'value' && part.native;
      expect(() =>
        parseReportRequest({ metrics: ['visits'], date_range: '7d', dimensions: [native] }),
      ).not.toThrow();
    }
  });

  it.each(metricNames(report))('the metric %s is known natively', (name) => {
    const entry = metricOf(name, report)!;
    const metrics = entry.kind === 'native' ? [entry.native] : ['visits'];
    expect(() => parseReportRequest({ metrics, date_range: '7d' })).not.toThrow();
  });
});

it('knows old names, properties of events, and nothing that every object has', () => {
  expect(metricOf('conversions', 'core')).toBe(metricOf('keyEvents', 'core'));
  expect(dimensionOf('customEvent:plan', 'core')).toMatchObject({ native: 'event:props:plan' });
  for (const name of ['constructor', 'toString', '__proto__', 'customEvent:']) {
    expect([metricOf(name, 'core'), dimensionOf(name, 'core')]).toEqual([undefined, undefined]);
  }
});

it('is told whole in its reference', () => {
  const reference = readFileSync(resolve(__dirname, '../../../../../docs/reference/ga4.md'), 'utf8');
  const names = REPORTS.flatMap((report) => [...dimensionNames(report), ...metricNames(report)]);
  expect(names.filter((name) => !reference.includes(`\`${name}\``))).toEqual([]);
});
