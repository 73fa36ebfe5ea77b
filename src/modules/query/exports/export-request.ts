// An export as it is asked for, and as its job keeps it: with instants in place of "30d" and filters in place
// of segments, so that whoever works on it, today or after a crash, means the same.
import { z } from 'zod';
import type { Excess } from '../../auth/quotas/excess.js';
import type { SessionsAsked } from '../facts/session-selection.js';
import { refuseOversized } from '../request/cost.js';
import type { Range } from '../request/date-range.js';
import { filterSchema, filterToWire, type WireFilter } from '../request/filters.js';
import { parsedBy } from '../request/parsed-by.js';
import { type ReportQuery, timestampsOf } from '../request/report-query.js';
import { type ReportRequest, reportRequestSchema } from '../request/report-request.js';
import type { Goal } from '../vocabulary/goal.js';

export const EXPORT_SUBJECTS = ['events', 'sessions'] as const;
export type ExportSubject = (typeof EXPORT_SUBJECTS)[number];
export const EXPORT_FORMATS = ['ndjson', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const exportRequestSchema = z.strictObject({
  what: z
    .enum(EXPORT_SUBJECTS)
    .meta({ description: 'A row for each event of the range, or for each session that is active in it.' }),
  format: z.enum(EXPORT_FORMATS).default('ndjson'),
  date_range: reportRequestSchema.shape.date_range,
  filters: reportRequestSchema.shape.filters,
  include: z.strictObject({ bots: z.boolean().default(false) }).prefault({}),
});

export interface ExportRequest {
  readonly what: ExportSubject;
  readonly format: ExportFormat;
  /** Whatever a native query knows of ranges and filters holds here, too. */
  readonly selection: ReportRequest;
}

/** @throws Problem 400 naming every path that is wrong, 422 where the request is too large to look at */
export function parseExportRequest(body: unknown): ExportRequest {
  refuseOversized(body);
  const { what, format } = parsedBy(exportRequestSchema, body);
  const { date_range, filters, include } = body as Readonly<Record<string, unknown>>;
  const selection = parsedBy(reportRequestSchema, { metrics: ['visitors'], date_range, filters, include });
  return { what, format, selection };
}

/** What its job keeps. */
export interface KeptExport {
  /** In its complete form, for the client. */
  readonly asked: {
    readonly what: ExportSubject;
    readonly format: ExportFormat;
    readonly date_range: readonly [string, string];
    readonly filters: readonly WireFilter[];
    readonly include: { readonly bots: boolean };
  };
  readonly range: Range;
  /** IANA name, by which filters read clocks. */
  readonly zone: string;
  readonly goals: readonly Goal[];
  /** Absent in jobs that are older than it. */
  readonly incomplete?: readonly Excess[];
}

export function keptExport({ what, format }: ExportRequest, query: ReportQuery): KeptExport {
  const { range, zone, goals, incomplete } = query;
  return {
    asked: {
      what,
      format,
      date_range: timestampsOf(range, zone),
      filters: query.filters.map(filterToWire),
      include: { bots: query.include.bots },
    },
    range,
    zone,
    goals,
    incomplete,
  };
}

export const sessionsOf = (
  site: string,
  { asked, range, zone, goals, incomplete }: KeptExport,
): SessionsAsked => ({
  site,
  range,
  zone,
  goals,
  incomplete,
  filters: parsedBy(z.array(filterSchema), asked.filters),
  include: asked.include,
});
