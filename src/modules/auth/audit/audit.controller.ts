// Who did what, and when, over HTTP, for the operator.
import { Controller, Get, Query, UseGuards, UseInterceptors, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { CallerGuard, NeedsScope } from '../caller.guard.js';
import { AuditAnswer, auditEntryAnswer, AuditParameters } from './audit.dto.js';
import { AuditTrail } from './audit-trail.js';

@ApiTags('Operators')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor)
@UsePipes(InputPipe)
@NeedsScope('operator')
@Controller('admin/v1/audit')
export class AuditController {
  constructor(private readonly trail: AuditTrail) {}

  @Get()
  @ApiOperation({ operationId: 'readAuditTrail', summary: 'Read who did what, and when' })
  @ApiResponse({ status: 200, type: AuditAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async read(@Query() { limit, cursor, stream }: AuditParameters): Promise<AuditAnswer> {
    const { entries, nextCursor } = await this.trail.page({ limit, cursor, stream });
    return { entries: entries.map(auditEntryAnswer), next_cursor: nextCursor };
  }
}
