// Who did what, and when, over HTTP, for the operator.
import { Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { NeedsScope } from '../caller.guard.js';
import { AuditAnswer, auditEntryAnswer, AuditParameters } from './audit.dto.js';
import { AuditTrail } from './audit-trail.js';

@ControlPlaneController('admin/v1/audit', { tag: 'Operators' })
@NeedsScope('operator')
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
