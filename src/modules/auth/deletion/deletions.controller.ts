// Which sites were deleted, and what has become of their rows, over HTTP, for the operator.
import { Get, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { pageOf } from '../page.js';
import { ListParameters } from '../sites/site.dto.js';
import { type DeletedSite, DeletedSites } from './deleted-sites.js';
import { type DeletionAnswer, DeletionListAnswer } from './deletions.dto.js';
import { Eraser } from './eraser.js';
import { type Erasure, Erasures } from './erasures.js';

@ControlPlaneController('admin/v1/deletions', { tag: 'Operators' })
@NeedsScope('operator')
export class DeletionsController {
  constructor(
    private readonly deleted: DeletedSites,
    private readonly eraser: Eraser,
    private readonly erasures: Erasures,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listDeletions',
    summary: 'List deleted sites, and what has become of their rows',
  })
  @ApiResponse({ status: 200, type: DeletionListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  async list(@Query() { limit, cursor }: ListParameters): Promise<DeletionListAnswer> {
    const page = pageOf(this.deleted.list(), { limit, cursor, nameOf: ({ site }) => site });
    const under = new Map((await this.erasures.list()).map((erasure) => [erasure.site, erasure]));
    return {
      deletions: page.items.map((deleted) => this.#answer(deleted, under.get(deleted.site))),
      next_cursor: page.nextCursor,
    };
  }

  #answer(deleted: DeletedSite, erasure: Erasure | undefined): DeletionAnswer {
    const { site, deletedAt, erased } = deleted;
    const eraseAfter = this.eraser.eraseAfter(deleted);
    const isDue = eraseAfter.getTime() <= Date.now();
    return {
      site,
      state: erased !== null ? 'erased' : isDue ? 'erasing' : 'waiting',
      deletedAt: deletedAt.toISOString(),
      eraseAfter: eraseAfter.toISOString(),
      erasedAt: erased?.at.toISOString() ?? null,
      rows: erased?.rows ?? erasure?.rows ?? 0,
      passes: erasure?.passes ?? 0,
    };
  }
}
