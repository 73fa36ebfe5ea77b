// GET /api/v1/stats/…: Plausible's older Stats API, for scripts that change only host and key.
import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import type { Caller } from '../../../auth/access.js';
import { Calling, CallerGuard, NeedsScope } from '../../../auth/caller.guard.js';
import { AnswersErrors } from '../../../../http/route-kind.js';
import { plausibleErrors } from './error-form.js';
import { DescribesV1 } from './plausible.openapi.js';
import { PlausibleReports } from './plausible-reports.js';
import { aggregate, breakdown, realtimeVisitors, timeseries } from './v1-translation.js';

@Controller('api/v1/stats')
@UseGuards(CallerGuard)
@NeedsScope('stats:read')
export class PlausibleStatsV1Controller {
  constructor(@Inject(PlausibleReports) private readonly reports: PlausibleReports) {}

  @Get('realtime/visitors')
  @AnswersErrors(plausibleErrors)
  @DescribesV1('realtime/visitors')
  realtimeVisitors(@Query() parameters: unknown, @Calling() caller: Caller) {
    return this.reports.answer(caller, parameters, realtimeVisitors);
  }

  @Get('aggregate')
  @AnswersErrors(plausibleErrors)
  @DescribesV1('aggregate')
  aggregate(@Query() parameters: unknown, @Calling() caller: Caller) {
    return this.reports.answer(caller, parameters, aggregate);
  }

  @Get('timeseries')
  @AnswersErrors(plausibleErrors)
  @DescribesV1('timeseries')
  timeseries(@Query() parameters: unknown, @Calling() caller: Caller) {
    return this.reports.answer(caller, parameters, timeseries);
  }

  @Get('breakdown')
  @AnswersErrors(plausibleErrors)
  @DescribesV1('breakdown')
  breakdown(@Query() parameters: unknown, @Calling() caller: Caller) {
    return this.reports.answer(caller, parameters, breakdown);
  }
}
