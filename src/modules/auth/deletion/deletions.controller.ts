// Which sites and merchants were deleted, and what has become of their rows, over HTTP, for the operator.
import { Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Deletions } from './deletions.js';
import { deletionAnswer, DeletionListAnswer, DeletionParameters } from './deletions.dto.js';

@ControlPlaneController('admin/v1/deletions', { tag: 'Operators' })
@NeedsScope('operator')
export class DeletionsController {
  constructor(private readonly deletions: Deletions) {}

  @Get()
  @ApiOperation({
    operationId: 'listDeletions',
    summary: 'List deleted merchants and sites, and what has become of their rows',
  })
  @ApiResponse({ status: 200, type: DeletionListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(@Query() { limit, cursor, merchant }: DeletionParameters): Promise<DeletionListAnswer> {
    const page = await this.deletions.page({ limit, cursor, merchant });
    return { deletions: page.items.map(deletionAnswer), next_cursor: page.nextCursor };
  }
}
