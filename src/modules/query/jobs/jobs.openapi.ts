// What /docs says about jobs.
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../../auth/api-answers.js';
import type { SchemaObject } from '../schema-object.js';

const text: SchemaObject = { type: 'string' };
const number: SchemaObject = { type: 'number' };
const time: SchemaObject = { ...text, format: 'date-time' };
const timeOrNull: SchemaObject = { ...time, nullable: true };

export const JOB_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['id', 'kind', 'state', 'request', 'progress', 'created_at'],
  properties: {
    id: text,
    kind: { ...text, description: '`export`, `query`, or the name of a report.' },
    state: { ...text, enum: ['queued', 'running', 'done', 'failed', 'cancelled', 'expired'] },
    request: { description: 'What was asked for; of an export in its complete form.' },
    progress: {
      type: 'object',
      properties: {
        rows: { ...number, description: 'Done.' },
        rows_expected: { ...number, nullable: true, description: 'About; null: nobody knows.' },
        share: { ...number, nullable: true, description: 'Between 0 and 1; null: nobody knows.' },
        seconds_left: { ...number, nullable: true, description: 'At the present pace.' },
      },
    },
    created_at: time,
    started_at: timeOrNull,
    finished_at: timeOrNull,
    expires_at: { ...timeOrNull, description: 'Until then the result can be fetched.' },
    problem: { type: 'object', description: 'Of a failed job: RFC 9457.' },
    result: {
      type: 'object',
      description: 'Of a job that is done.',
      properties: {
        href: text,
        bytes: number,
        rows: number,
        content_type: text,
        sha256: { ...text, description: 'Of its bytes, hexadecimal.' },
        projection: {
          ...text,
          description: 'Of an export: the version of the numbers that all rows are of.',
        },
        watermark: { ...timeOrNull, description: 'Of an export: what was received up to here is in it.' },
        changed_meanwhile: {
          type: 'boolean',
          nullable: true,
          description:
            'Of an export: whether sessions of the range changed while it ran, so that it holds some as they were before and others as they are after; null: nobody knows.',
        },
      },
    },
  },
};

const DONE = {
  id: 'j7Gk2mQx9RtP',
  kind: 'export',
  state: 'done',
  request: {
    what: 'events',
    format: 'ndjson',
    date_range: ['2026-11-01T00:00:00+01:00', '2026-11-21T00:00:00+01:00'],
    filters: [],
    include: { bots: false },
  },
  progress: { rows: 48210, rows_expected: 48544, share: 1, seconds_left: null },
  created_at: '2026-11-21T10:00:00.000Z',
  started_at: '2026-11-21T10:00:00.020Z',
  finished_at: '2026-11-21T10:00:03.400Z',
  expires_at: '2026-11-22T10:00:03.400Z',
  result: {
    href: '/v1/sites/s7Ryb1WqQ2c5/jobs/j7Gk2mQx9RtP/result',
    bytes: 17203300,
    rows: 48210,
    content_type: 'application/x-ndjson',
    sha256: '5b0f7c0b6f2b8f1f0a7f5b2f0d3f2f6f9f4f1e2d3c4b5a69788796a5b4c3d2e1',
    projection: 'sessions@1',
    watermark: '2026-11-21T09:59:58.000Z',
    changed_meanwhile: false,
  },
};

const RUNNING = {
  ...DONE,
  state: 'running',
  progress: { rows: 12100, rows_expected: 48544, share: 0.25, seconds_left: 3 },
  finished_at: null,
  expires_at: null,
  result: undefined,
};

const JOB_UNKNOWN = 'No such site or job, or not one the key may read.';

const ApiSite = () =>
  ApiParam({ name: 'site', description: 'Id or domain of the site.', example: 'shop.example' });
const ApiJobId = () => ApiParam({ name: 'id', description: "The job's id.", example: DONE.id });

/** Documents a 202 with the job that was made. */
export const ApiAccepted = (description: string) =>
  ApiResponse({
    status: 202,
    description,
    headers: {
      Location: { schema: { type: 'string' }, description: 'Of the job.' },
      'Retry-After': { schema: { type: 'integer' }, description: 'When to look.' },
    },
    content: {
      'application/json': {
        schema: JOB_SCHEMA,
        example: { ...RUNNING, state: 'queued', started_at: null, progress: { rows: 0 } },
      },
    },
  });

export const ApiJobList = () =>
  applyDecorators(
    ApiSite(),
    ApiOperation({ operationId: 'listJobs', summary: 'List the jobs of a site, newest first' }),
    ApiQuery({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    }),
    ApiQuery({
      name: 'cursor',
      required: false,
      description: 'The next_cursor of the page before.',
      schema: text,
    }),
    ApiResponse({
      status: 200,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: {
              jobs: { type: 'array', items: JOB_SCHEMA },
              next_cursor: { ...text, nullable: true },
            },
          },
          example: { jobs: [DONE], next_cursor: null },
        },
      },
    }),
    ApiProblems({ 400: 'A parameter is not valid.', 404: 'No such site, or not one the key may read.' }),
  );

export const ApiJob = () =>
  applyDecorators(
    ApiSite(),
    ApiJobId(),
    ApiOperation({
      operationId: 'getJob',
      summary: 'Look how a job is doing',
      description: 'While it waits or runs, `Retry-After` says when to look again.',
    }),
    ApiResponse({
      status: 200,
      content: {
        'application/json': {
          schema: JOB_SCHEMA,
          examples: {
            running: { summary: 'On its way', value: RUNNING },
            done: { summary: 'Done', value: DONE },
          },
        },
      },
    }),
    ApiProblems({ 404: JOB_UNKNOWN }),
  );

const BYTES: SchemaObject = { type: 'string', format: 'binary' };
const CONTENT = Object.fromEntries(
  ['application/x-ndjson', 'application/vnd.apache.parquet', 'application/json', 'text/csv'].map((type) => [
    type,
    { schema: BYTES },
  ]),
);

export const ApiJobResult = () =>
  applyDecorators(
    ApiSite(),
    ApiJobId(),
    ApiOperation({
      operationId: 'getJobResult',
      summary: 'Fetch the result of a job',
      description:
        'From any node, until `expires_at`. A download that broke off goes on with `Range` (and `If-Range` with the `ETag`), as `curl -C -` does. Never compressed on the way.',
    }),
    ApiHeader({
      name: 'Range',
      required: false,
      description: 'One range of bytes; of several, all bytes come.',
    }),
    ApiHeader({
      name: 'If-Range',
      required: false,
      description: 'The ETag of what the client has a part of.',
    }),
    ApiHeader({ name: 'If-None-Match', required: false, description: 'An ETag: 304 while it is the same.' }),
    ApiResponse({ status: 200, description: 'All of it.', content: CONTENT }),
    ApiResponse({ status: 206, description: 'The range.', content: CONTENT }),
    ApiResponse({ status: 304, description: 'The client has it.' }),
    ApiResponse({ status: 410, description: 'It has expired.' }),
    ApiResponse({ status: 416, description: 'The result has no such bytes.' }),
    ApiProblems({
      404: JOB_UNKNOWN,
      409: 'The job is not done: it waits or runs, has failed, or was cancelled.',
    }),
  );

export const ApiDeleteJob = () =>
  applyDecorators(
    ApiSite(),
    ApiJobId(),
    ApiOperation({
      operationId: 'deleteJob',
      summary: 'Cancel a job, or remove it with its result',
      description: 'A job that waits or runs is cancelled; one that is over is removed.',
    }),
    ApiResponse({
      status: 200,
      description: 'Cancelled.',
      content: { 'application/json': { schema: JOB_SCHEMA } },
    }),
    ApiResponse({ status: 204, description: 'Removed, and its result with it.' }),
    ApiProblems({ 404: JOB_UNKNOWN }),
  );
