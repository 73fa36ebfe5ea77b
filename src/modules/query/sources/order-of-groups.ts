// The order of an answer's rows where PostgreSQL did not order them: what the query says, then its
// dimensions, values byte by byte, as the facts do it.
import type { Group } from '../report.js';
import type { ReportQuery } from '../request/report-query.js';
import { isTimeDimension } from '../vocabulary/dimensions.js';
import { type Metric, metricValue, type MetricValue } from '../vocabulary/metrics.js';

export type Compare = (a: Group, b: Group) => number;

export function orderOfGroups({ orderBy, metrics, dimensions }: ReportQuery): Compare {
  const values = dimensions.filter((one) => !isTimeDimension(one));
  const byDimension = (name: string): Compare => {
    const place = values.findIndex((one) => one === name);
    return place < 0
      ? (a, b) => a.bucket - b.bucket
      : (a, b) => Buffer.compare(Buffer.from(a.values[place]!), Buffer.from(b.values[place]!));
  };
  const asked = orderBy.map(([name, direction]): Compare => {
    const metric = metrics.find((one) => one === name);
    if (metric !== undefined) return byMetric(metric, direction === 'asc' ? 1 : -1);
    const compare = byDimension(name);
    return direction === 'asc' ? compare : (a, b) => -compare(a, b);
  });
  const rest = dimensions.filter((one) => !orderBy.some(([name]) => name === one)).map(byDimension);
  const all = [...asked, ...rest];
  return (a, b) => {
    for (const compare of all) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

function byMetric(metric: Metric, sign: 1 | -1): Compare {
  return (a, b) => {
    const of = amountOf(metricValue(metric, a.counters));
    const and = amountOf(metricValue(metric, b.counters));
    if (of === and) return 0;
    // What cannot be told comes last, either way.
    if (of === null) return 1;
    if (and === null) return -1;
    return sign * (of - and);
  };
}

const amountOf = (value: MetricValue): number | null =>
  typeof value === 'object' ? (value?.value ?? null) : value;
