// Which projections there are, in which versions, and which version serves. The projections are folded
// together, so what is done to one under its name is done to all.
import { Body, Delete, Get, HttpCode, Inject, Param, ParseIntPipe, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { ControlPlaneController } from '../../auth/control-plane-controller.js';
import { Ids, Repeatable } from '../../auth/idempotency/repeatable.js';
import type { IdSource } from '../../auth/random-ids.js';
import { Calling, NeedsScope } from '../../auth/caller.guard.js';
import { ChangeVersions, type VersionChange } from './commands/change-versions.command.js';
import { RequestRebuild } from './commands/request-rebuild.command.js';
import { ProgressReport } from './progress-report.js';
import { requireProjection } from './projection-name.js';
import { ProjectionListAnswer, PromoteBody, ServingAnswer } from './projection.dto.js';
import { type ReadModels, rollbackTarget } from './read-models.aggregate.js';
import { RebuildAnswer, RebuildBody } from './rebuild.dto.js';
import { scopeOf } from './rebuild-scope.js';

const ApiName = () => ApiParam({ name: 'name', description: "The projection's name.", example: 'sessions' });

@ControlPlaneController('admin/v1/projections', { tag: 'Operators' })
export class ProjectionsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly report: ProgressReport,
    private readonly sites: SiteDirectory,
    @Inject(CONFIG) private readonly config: Pick<Config, 'ARCHIVE_URL'>,
  ) {}

  @Get()
  @NeedsScope('operator')
  @ApiOperation({
    operationId: 'listProjections',
    summary: 'Projections, their versions and how far each has come',
  })
  @ApiResponse({ status: 200, type: ProjectionListAnswer })
  @ApiProblems({})
  async list(): Promise<ProjectionListAnswer> {
    return { projections: await this.report.projections() };
  }

  @Post(':name/rebuilds')
  @Repeatable()
  @NeedsScope('operator')
  @HttpCode(202)
  @ApiName()
  @ApiOperation({
    operationId: 'requestRebuild',
    summary: 'Build another version from the log while this one serves',
    description:
      'Projections are folded together: a rebuild of one is a rebuild of all. With `sites` it holds those sites only, and once promoted answers for them while the version before answers for all others. With `from` and `to`, sessions that began on other days, in the zone of their site, are copied from the version that serves, byte for byte.',
  })
  @ApiResponse({ status: 202, type: RebuildAnswer })
  @ApiProblems({
    400: 'Some fields are not valid.',
    404: 'There is no such projection, or no such site.',
    409: 'Another rebuild is under way, or the version is there already.',
  })
  async requestRebuild(
    @Param('name') name: string,
    @Body() body: RebuildBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<RebuildAnswer> {
    const projection = requireProjection(name);
    const hasArchive = this.config.ARCHIVE_URL !== undefined;
    const scope = scopeOf(body, { directory: this.sites, hasArchive });
    const wish = { projection, version: body.version, scope, source: body.source };
    const requested = await this.commands.execute(new RequestRebuild(wish, originOf(caller), ids));
    if (requested.outcome === 'refused') throw Problem.conflict(requested.reason);
    return this.report.rebuild(requested.state.rebuilds.get(requested.rebuild)!);
  }

  @Post(':name/promote')
  @NeedsScope('operator')
  @HttpCode(200)
  @ApiName()
  @ApiOperation({ operationId: 'promoteVersion', summary: 'Let a version serve' })
  @ApiResponse({ status: 200, type: ServingAnswer })
  @ApiProblems({
    400: 'Some fields are not valid.',
    404: 'There is no such projection.',
    409: 'It has not caught up, serves already, or is not there.',
  })
  promote(
    @Param('name') name: string,
    @Body() { version, force }: PromoteBody,
    @Calling() caller: Caller,
  ): Promise<ServingAnswer> {
    return this.#change(name, { change: 'promote', version, force }, caller);
  }

  @Post(':name/rollback')
  @NeedsScope('operator')
  @HttpCode(200)
  @ApiName()
  @ApiOperation({ operationId: 'rollBack', summary: 'Let the version serve again that served before' })
  @ApiResponse({ status: 200, type: ServingAnswer })
  @ApiProblems({ 404: 'There is no such projection.', 409: 'No version that served before is kept.' })
  rollBack(@Param('name') name: string, @Calling() caller: Caller): Promise<ServingAnswer> {
    return this.#change(name, { change: 'roll-back' }, caller);
  }

  @Delete(':name/versions/:version')
  @NeedsScope('operator')
  @HttpCode(204)
  @ApiName()
  @ApiParam({ name: 'version', example: 1 })
  @ApiOperation({ operationId: 'retireVersion', summary: 'Give a version up; its tables are removed' })
  @ApiResponse({ status: 204, description: 'Retired.' })
  @ApiProblems({
    404: 'There is no such projection.',
    409: 'It serves, is being built, or is not there.',
  })
  async retire(
    @Param('name') name: string,
    @Param('version', ParseIntPipe) version: number,
    @Calling() caller: Caller,
  ): Promise<void> {
    await this.#change(name, { change: 'retire', version }, caller);
  }

  async #change(name: string, wish: VersionChange, caller: Caller): Promise<ServingAnswer> {
    const projection = requireProjection(name);
    const changed = await this.commands.execute(new ChangeVersions(wish, originOf(caller)));
    if (changed.outcome === 'refused') throw Problem.conflict(changed.reason);
    return servingAnswer(projection, changed.state);
  }
}

const servingAnswer = (name: string, state: ReadModels): ServingAnswer => ({
  name,
  servingVersion: state.serving[0]!,
  previousVersion: rollbackTarget(state)?.[0] ?? null,
});
