// The endpoints of one kind of definition, made of its rules.
import {
  Body,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import type { DefinitionKind } from '../../../events/definition.events.js';
import type { Caller } from '../../auth/access.js';
import { ControlPlaneController } from '../../auth/control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../../auth/found.js';
import { Ids, Repeatable } from '../../auth/idempotency/repeatable.js';
import { Calling, NeedsScope } from '../../auth/caller.guard.js';
import type { IdSource } from '../../auth/random-ids.js';
import type { DefinitionRules } from './definition.js';
import { DefinitionsDesk } from './definitions.desk.js';
import { documentationOf } from './definitions.openapi.js';

export function definitionsController(rules: DefinitionRules<DefinitionKind>): Type {
  const documented = documentationOf(rules);

  @ControlPlaneController(`v1/sites/:site/${rules.plural}`, { tag: `${rules.kind}s` })
  class DefinitionsController {
    constructor(@Inject(DefinitionsDesk) private readonly desk: DefinitionsDesk) {}

    @Post()
    @UseInterceptors(FoundInterceptor)
    @Repeatable()
    @NeedsScope('definitions:write')
    @documented.Create()
    create(
      @Param('site') idOrDomain: string,
      @Body() body: object,
      @Calling() caller: Caller,
      @Ids() ids: IdSource,
    ): Promise<Found> {
      return this.desk.create({ rules, caller, idOrDomain }, body, ids);
    }

    @Get()
    @NeedsScope('sites:admin', 'stats:view')
    @documented.List()
    list(@Param('site') idOrDomain: string, @Query() query: object, @Calling() caller: Caller): object {
      return this.desk.list({ rules, caller, idOrDomain }, query);
    }

    @Get(':id')
    @UseInterceptors(FoundInterceptor)
    @NeedsScope('sites:admin', 'stats:view')
    @documented.Get()
    get(@Param('site') idOrDomain: string, @Param('id') id: string, @Calling() caller: Caller): Found {
      return this.desk.get({ rules, caller, idOrDomain }, id);
    }

    @Patch(':id')
    @UseInterceptors(FoundInterceptor)
    @NeedsScope('definitions:write')
    @documented.Change()
    change(
      @Param('site') idOrDomain: string,
      @Param('id') id: string,
      @Body() body: object,
      @Expected() expected: number | 'any',
      @Calling() caller: Caller,
    ): Promise<Found> {
      return this.desk.save({ rules, caller, idOrDomain }, { wish: 'change', id, body, expected });
    }

    @Delete(':id')
    @HttpCode(204)
    @NeedsScope('definitions:write')
    @documented.Delete()
    async delete(
      @Param('site') idOrDomain: string,
      @Param('id') id: string,
      @Expected() expected: number | 'any',
      @Calling() caller: Caller,
    ): Promise<void> {
      await this.desk.delete({ rules, caller, idOrDomain }, { wish: 'delete', id, expected });
    }
  }
  return DefinitionsController;
}
