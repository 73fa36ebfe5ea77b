// What a report is whose answer is not a table of metrics: one declaration in one file of `reports/`.
// From it come its endpoint, the check of its requests, its documentation and its CSV; key and reach, date
// range, filters, cache, freshness, ETag and the time limit are the machinery's, the same for all.
import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { Table } from '../csv.js';
import { refuseOversized } from '../request/cost.js';
import { parsedBy } from '../request/parsed-by.js';
import type { ReportQuery } from '../request/report-query.js';
import { type ReportRequest, reportRequestSchema } from '../request/report-request.js';
import type { SiteDefinitions } from '../vocabulary/site-definitions.js';

/** Which events of which sessions a report is about: a native query's date range, filters and bots. */
export type Selection = ReportQuery;

export interface PlanContext {
  readonly selection: Selection;
  readonly definitions: SiteDefinitions;
}

/** Both are part of the cache key: plain data, holding everything the numbers depend on. */
export interface Planned<Plan> {
  /** What the answer's `query` shows beside date range and filters: a request that asks for the same. */
  readonly echo: object;
  readonly plan: Plan;
}

export interface Task<Plan> {
  /** In a read-only snapshot, under the query's time limit. */
  readonly client: ClientBase;
  /** Of the session facts that serve the site. */
  readonly factsTable: string;
  readonly selection: Selection;
  readonly plan: Plan;
}

export interface Example {
  readonly summary: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface ReportDefinition<Shape extends z.ZodRawShape, Plan, Results> {
  /** The endpoint's: POST /v1/sites/{site}/{name}/query. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Of the request, beside `date_range`, `filters` and `include`. */
  readonly parameters: Shape;
  readonly examples: Readonly<Record<string, Example>>;
  readonly results: z.ZodType<Results>;
  /** Looks up what the request only names. @throws Problem 400 or 422 naming the path. */
  plan(parameters: z.output<z.ZodObject<Shape>>, context: PlanContext): Planned<Plan>;
  run(task: Task<Plan>): Promise<Results>;
  /** For CSV. */
  table(results: Results): Table;
}

export interface Report extends ReportDefinition<z.ZodRawShape, unknown, unknown> {
  readonly request: z.ZodType<Readonly<Record<string, unknown>>>;
}

const SELECTION = {
  date_range: reportRequestSchema.shape.date_range,
  filters: reportRequestSchema.shape.filters,
  include: z.strictObject({ bots: z.boolean().default(false) }).prefault({}),
};

/** Checks a declaration against its own types; the list of reports knows them no longer. */
export function defineReport<Shape extends z.ZodRawShape, Plan, Results>(
  definition: ReportDefinition<Shape, Plan, Results>,
): Report {
  const request = z.strictObject({ ...SELECTION, ...definition.parameters });
  return { ...(definition as unknown as ReportDefinition<z.ZodRawShape, unknown, unknown>), request };
}

export interface ParsedReport {
  readonly selection: ReportRequest;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** @throws Problem 400 naming every path that is wrong, 422 where the request is too large to look at. */
export function parseReport({ request }: Report, body: unknown): ParsedReport {
  refuseOversized(body);
  const { date_range: _, filters: _filters, include: _include, ...parameters } = parsedBy(request, body);
  const { date_range, filters, include } = body as Readonly<Record<string, unknown>>;
  // As a native query: whatever that knows of ranges and filters holds here, too.
  const selection = parsedBy(reportRequestSchema, { metrics: ['visitors'], date_range, filters, include });
  return { selection, parameters };
}
