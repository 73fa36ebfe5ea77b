// GET /admin/v1/projections/{name}/compare: for operators, before they promote a version.
import { Get, Param, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { ControlPlaneController } from '../../auth/control-plane-controller.js';
import { Calling, NeedsScope } from '../../auth/caller.guard.js';
import { RecordComparison } from './record-comparison.command.js';
import { CompareVersionsQuery } from './compare-versions.query.js';
import { CompareAnswer, compareAnswer, CompareParameters } from './compare.dto.js';

@ControlPlaneController('admin/v1/projections/:name/compare', { tag: 'Operation' })
@NeedsScope('operator')
export class CompareController {
  constructor(
    private readonly queries: QueryBus,
    private readonly commands: CommandBus,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'compareVersions',
    summary: 'Compare two versions of a projection',
    description:
      'Totals of both, and the sites, days and metrics that differ. Bots are apart from people. `sessions_changed` (elsewhere `rows_changed`) counts the rows that differ in any column or are in one version only, so that a wrong country is found as well, which changes no sum.',
  })
  @ApiParam({ name: 'name', description: 'The projection.', example: 'sessions' })
  @ApiResponse({ status: 200, type: CompareAnswer })
  @ApiProblems({
    400: 'Some parameters are not valid, or both versions are the same.',
    404: 'There is no such projection, version or site.',
    409: 'One of the versions is not complete, or not comparable.',
    503: 'Another comparison is running; one runs at a time. Try again after Retry-After.',
  })
  @ApiResponse({ status: 422, description: 'It takes too long; `detail` says what to narrow.' })
  async compare(
    @Param('name') name: string,
    @Query() { a, b, site, from, to, tolerance, limit, cursor }: CompareParameters,
    @Calling() caller: Caller,
  ): Promise<CompareAnswer> {
    if (from !== undefined && to !== undefined && from > to) {
      throw Problem.badRequest('The last day must not lie before the first.', [
        { path: 'to', message: `is before ${from}` },
      ]);
    }
    const query = new CompareVersionsQuery({ name, a, b }, { site, from, to }, { tolerance, limit, cursor });
    const compared = await this.queries.execute(query);
    if (cursor === undefined) {
      const { versions, differing } = compared;
      const record = { projection: name, a: versions.a, b: versions.b, differing, tolerance };
      await this.commands.execute(new RecordComparison(record, originOf(caller)));
    }
    return compareAnswer(compared, tolerance);
  }
}
