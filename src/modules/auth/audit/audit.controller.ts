// Who did what, when and from where, over HTTP, for the operator: of all merchants, and of what is no merchant's.
import { Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../api-answers.js';
import { NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { AuditAnswer, auditAnswer, AuditExportParameters, AuditParameters, questionOf } from './audit.dto.js';
import { ApiAuditFile } from './audit.openapi.js';
import { AuditExports } from './audit-exports.js';
import { type AuditQuestion, AuditTrail } from './audit-trail.js';

@ControlPlaneController('admin/v1/audit', { tag: 'Operators' })
@NeedsScope('operator')
export class AuditController {
  constructor(
    private readonly trail: AuditTrail,
    private readonly exports: AuditExports,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'readAuditTrail',
    summary: 'Read who did what, when and from where',
    description: 'Of everybody. What people do to their accounts, signing in too, is here and nowhere else.',
  })
  @ApiResponse({ status: 200, type: AuditAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async read(@Query() asked: AuditParameters): Promise<AuditAnswer> {
    const { limit, cursor } = asked;
    return auditAnswer(await this.trail.page({ ...questionOfAll(asked), limit, cursor }));
  }

  @Get('export')
  @ApiOperation({
    operationId: 'exportAuditTrail',
    summary: 'Fetch the audit trail, or a part of it, as a file',
  })
  @ApiAuditFile()
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async export(
    @Query() asked: AuditExportParameters,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.exports.send(questionOfAll(asked), { request, reply, format: asked.format });
  }
}

function questionOfAll(asked: Omit<AuditParameters, 'limit' | 'cursor'>): AuditQuestion {
  const { selection, ...question } = questionOf(asked);
  return { ...question, selection: { ...selection, merchant: asked.merchant }, reader: null };
}
