// Jobs wired: the queue and its results, and who works on which kind. One list for the query module.
import type { Provider } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../../config/config.js';
import { SiteDirectory } from '../auth/directories/site.directory.js';
import { AnswerWork } from './answering-later/answer-work.js';
import { LaterAnswers } from './answering-later/later-answers.js';
import { ExportWork } from './exports/run-export.js';
import { Freshness } from './freshness.js';
import { ReportPlanning } from './reporting/report-planning.js';
import { SiteChanges } from './site-changes.js';
import { SiteQuestions } from './site-questions.js';
import { JobQueue } from './jobs/job-queue.js';
import { JobReaper } from './jobs/job-reaper.js';
import { JobRunner } from './jobs/job-runner.js';
import { JobTable } from './jobs/job-table.js';
import { JobsTelemetry } from './jobs/jobs.telemetry.js';
import { ResultStore } from './jobs/result-store.js';
import { Submissions } from './jobs/submissions.js';

type ExportParts = [Pool, Config, Freshness, SiteChanges];
type AnswerParts = [QueryBus, SiteDirectory, Config];
type LaterParts = [Submissions, Freshness, SiteQuestions, ReportPlanning];
type RunnerParts = [Config, JobQueue, ResultStore, JobsTelemetry, ExportWork, AnswerWork];

export const JOB_PROVIDERS: readonly Provider[] = [
  JobTable,
  JobQueue,
  ResultStore,
  JobReaper,
  JobsTelemetry,
  Submissions,
  {
    provide: LaterAnswers,
    inject: [Submissions, Freshness, SiteQuestions, ReportPlanning],
    useFactory: (...[submissions, freshness, questions, planning]: LaterParts) =>
      new LaterAnswers({ submissions, freshness, questions, planning }),
  },
  {
    provide: ExportWork,
    inject: [Pool, CONFIG, Freshness, SiteChanges],
    useFactory: (...[pool, config, freshness, changes]: ExportParts) =>
      new ExportWork({ pool, config, freshness, changes }),
  },
  {
    provide: AnswerWork,
    inject: [QueryBus, SiteDirectory, CONFIG],
    useFactory: (...[queries, sites, config]: AnswerParts) => new AnswerWork({ queries, sites, config }),
  },
  {
    provide: JobRunner,
    inject: [CONFIG, JobQueue, ResultStore, JobsTelemetry, ExportWork, AnswerWork],
    useFactory: (...[config, queue, store, telemetry, ...works]: RunnerParts) =>
      new JobRunner({ config, queue, store, telemetry, works }),
  },
];
