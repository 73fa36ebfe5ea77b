// Takes a job in, and has this node look for it at once.
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from './job.js';
import { JobRunner } from './job-runner.js';
import { JobTable, type NewJob } from './job-table.js';

@Injectable()
export class Submissions {
  constructor(
    @Inject(JobTable) private readonly jobs: JobTable,
    @Inject(JobRunner) private readonly runner: JobRunner,
  ) {}

  /** @throws Problem 429 or 409 where there are too many already */
  async submit(wanted: NewJob): Promise<Job> {
    const job = await this.jobs.add(wanted);
    this.runner.look();
    return job;
  }
}
