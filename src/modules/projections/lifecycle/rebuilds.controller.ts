// Rebuilds under way and past: how far they have come, and holding them up.
import { Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { ControlPlaneController } from '../../auth/control-plane-controller.js';
import { Calling, NeedsScope } from '../../auth/caller.guard.js';
import { pageOf } from '../../auth/page.js';
import { ListParameters } from '../../auth/sites/site.dto.js';
import { ControlRebuild } from './commands/control-rebuild.command.js';
import { ProgressReport } from './progress-report.js';
import type { Rebuild } from './read-models.aggregate.js';
import { ReadModelsDirectory } from './read-models.directory.js';
import { RebuildAnswer, RebuildListAnswer } from './rebuild.dto.js';

const ApiId = () => ApiParam({ name: 'id', description: "The rebuild's id.", example: 'r7Gk2mQx9RtP' });
const UNKNOWN = 'There is no such rebuild.';

@ControlPlaneController('admin/v1/rebuilds', { tag: 'Operators' })
export class RebuildsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly directory: ReadModelsDirectory,
    private readonly report: ProgressReport,
  ) {}

  @Get()
  @NeedsScope('operator')
  @ApiOperation({ operationId: 'listRebuilds', summary: 'All rebuilds, newest first' })
  @ApiResponse({ status: 200, type: RebuildListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  async list(@Query() { limit, cursor }: ListParameters): Promise<RebuildListAnswer> {
    const page = pageOf([...this.directory.state.rebuilds.values()], { limit, cursor, nameOf: newestFirst });
    const rebuilds = await Promise.all(page.items.map((rebuild) => this.report.rebuild(rebuild)));
    return { rebuilds, next_cursor: page.nextCursor };
  }

  @Get(':id')
  @NeedsScope('operator')
  @ApiId()
  @ApiOperation({ operationId: 'getRebuild', summary: 'How far a rebuild has come' })
  @ApiResponse({ status: 200, type: RebuildAnswer })
  @ApiProblems({ 404: UNKNOWN })
  get(@Param('id') id: string): Promise<RebuildAnswer> {
    return this.report.rebuild(this.#require(id));
  }

  @Post(':id/pause')
  @NeedsScope('operator')
  @HttpCode(200)
  @ApiId()
  @ApiOperation({ operationId: 'pauseRebuild', summary: 'Hold a rebuild up; what it has done is kept' })
  @ApiResponse({ status: 200, type: RebuildAnswer })
  @ApiProblems({ 404: UNKNOWN, 409: 'It is not running.' })
  pause(@Param('id') id: string, @Calling() caller: Caller): Promise<RebuildAnswer> {
    return this.#control(id, 'pause', caller);
  }

  @Post(':id/resume')
  @NeedsScope('operator')
  @HttpCode(200)
  @ApiId()
  @ApiOperation({
    operationId: 'resumeRebuild',
    summary: 'Go on with a rebuild that is paused or has failed',
  })
  @ApiResponse({ status: 200, type: RebuildAnswer })
  @ApiProblems({ 404: UNKNOWN, 409: 'It is neither paused nor failed, or another is under way.' })
  resume(@Param('id') id: string, @Calling() caller: Caller): Promise<RebuildAnswer> {
    return this.#control(id, 'resume', caller);
  }

  @Post(':id/cancel')
  @NeedsScope('operator')
  @HttpCode(200)
  @ApiId()
  @ApiOperation({ operationId: 'cancelRebuild', summary: 'Give a rebuild up; what it has done is removed' })
  @ApiResponse({ status: 200, type: RebuildAnswer })
  @ApiProblems({ 404: UNKNOWN, 409: 'Its version serves, or it is over.' })
  cancel(@Param('id') id: string, @Calling() caller: Caller): Promise<RebuildAnswer> {
    return this.#control(id, 'cancel', caller);
  }

  async #control(id: string, control: ControlRebuild['control'], caller: Caller): Promise<RebuildAnswer> {
    this.#require(id);
    const changed = await this.commands.execute(new ControlRebuild(id, control, originOf(caller)));
    if (changed.outcome === 'refused') throw Problem.conflict(changed.reason);
    return this.get(id);
  }

  #require(id: string): Rebuild {
    const rebuild = this.directory.state.rebuilds.get(id);
    if (rebuild === undefined) throw Problem.notFound(UNKNOWN);
    return rebuild;
  }
}

/** Versions only go up. */
const newestFirst = ({ version }: Rebuild): string => String(Number.MAX_SAFE_INTEGER - version);
