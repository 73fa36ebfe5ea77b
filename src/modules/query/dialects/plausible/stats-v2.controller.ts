// POST /api/v2/query: Plausible's Stats API, for scripts that change only host and key.
import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import type { Caller } from '../../../auth/access.js';
import { Calling, CallerGuard, NeedsScope } from '../../../auth/caller.guard.js';
import { AnswersErrors } from '../../../../http/route-kind.js';
import { plausibleErrors } from './error-form.js';
import { DescribesV2 } from './plausible.openapi.js';
import { PlausibleReports } from './plausible-reports.js';
import { statsV2, type V2Answer } from './v2-translation.js';

@Controller('api/v2/query')
@UseGuards(CallerGuard)
export class PlausibleStatsV2Controller {
  constructor(@Inject(PlausibleReports) private readonly reports: PlausibleReports) {}

  @Post()
  @HttpCode(200)
  @NeedsScope('stats:read')
  @AnswersErrors(plausibleErrors)
  @DescribesV2()
  query(@Body() body: unknown, @Calling() caller: Caller): Promise<V2Answer> {
    return this.reports.answer(caller, body, statsV2);
  }
}
