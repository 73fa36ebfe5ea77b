// Puts the filters of a saved segment where a request names it, so that everything after this knows
// filters only: the cost of a query, its cache key and its echo are those of the filters themselves.
import { z } from 'zod';
import { Problem } from '../../../http/problem.js';
import type { SiteDefinitions } from '../vocabulary/site-definitions.js';
import { refuseOversized } from './cost.js';
import { type Filter, filterSchema, filterToWire } from './filters.js';
import { parsedBy } from './parsed-by.js';
import type { ReportRequest } from './report-request.js';

const segmentFilters = z.array(filterSchema).min(1);

export interface SegmentsOfSite {
  readonly site: string;
  readonly definitions: Pick<SiteDefinitions, 'segmentOf'>;
}

/** @throws Problem 400 for a segment that the site has not, 422 where the filters become too many. */
export function withSegments<T extends Pick<ReportRequest, 'filters'>>(request: T, of: SegmentsOfSite): T {
  if (!request.filters.some(namesSegment)) return request;
  const filters = request.filters.flatMap((filter, index): readonly Filter[] => {
    const path = `filters[${index}]`;
    if (filter.kind !== 'segment' || filter.ids.length > 1) return [resolved(filter, path, of)];
    return filtersOf(filter.ids[0]!, `${path}[2][0]`, of);
  });
  return { ...request, filters: checked(filters) };
}

/** What each may say alone may be too much together, or not stand where the other stands. */
function checked(filters: readonly Filter[]): readonly Filter[] {
  const wire = filters.map(filterToWire);
  refuseOversized({ filters: wire });
  return parsedBy(z.object({ filters: segmentFilters }), { filters: wire }).filters;
}

function namesSegment(filter: Filter): boolean {
  if (filter.kind === 'segment') return true;
  if ('filters' in filter) return filter.filters.some(namesSegment);
  return 'filter' in filter && namesSegment(filter.filter);
}

function resolved(filter: Filter, path: string, of: SegmentsOfSite): Filter {
  if (filter.kind === 'segment') {
    return any(filter.ids.map((id, index) => all(filtersOf(id, `${path}[2][${index}]`, of))));
  }
  if ('filters' in filter) {
    return {
      ...filter,
      filters: filter.filters.map((one, index) => resolved(one, `${path}[1][${index}]`, of)),
    };
  }
  return 'filter' in filter ? { ...filter, filter: resolved(filter.filter, `${path}[1]`, of) } : filter;
}

function filtersOf(id: string, path: string, { site, definitions }: SegmentsOfSite): readonly Filter[] {
  const segment = definitions.segmentOf(site, id);
  if (segment === undefined) throw refuse(path, `the site has no segment ${id}`);
  const parsed = segmentFilters.safeParse(segment.filters);
  if (!parsed.success) throw refuse(path, `segment ${id} cannot be used: save its filters anew`);
  if (parsed.data.some(namesSegment)) throw refuse(path, `segment ${id} names another, which it may not`);
  return parsed.data;
}

const all = (filters: readonly Filter[]): Filter =>
  filters.length === 1 ? filters[0]! : { kind: 'and', filters };
const any = (filters: readonly Filter[]): Filter =>
  filters.length === 1 ? filters[0]! : { kind: 'or', filters };

const refuse = (path: string, message: string): Problem =>
  Problem.badRequest(`${path}: ${message}`, [{ path, message }]);
