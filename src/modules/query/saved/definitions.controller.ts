// The endpoints of one kind of definition, made of its rules.
import {
  Body,
  type CallHandler,
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Injectable,
  type NestInterceptor,
  Param,
  Patch,
  Post,
  Query,
  type Type,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import type { DefinitionKind } from '../../../events/definition.events.js';
import type { Caller } from '../../auth/access.js';
import { entityTag, expectedRevision } from '../../auth/entity-tag.js';
import { EventStoreOutageInterceptor } from '../../auth/event-store-outage.interceptor.js';
import { InputPipe } from '../../auth/input.pipe.js';
import { Calling, CallerGuard, NeedsScope } from '../../auth/caller.guard.js';
import { newId } from '../../auth/random-ids.js';
import type { DefinitionRules } from './definition.js';
import { DefinitionsDesk, type Found } from './definitions.desk.js';
import { documentationOf } from './definitions.openapi.js';

/** What the client says it has seen. */
const Expected = createParamDecorator((_: unknown, context: ExecutionContext) =>
  expectedRevision(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** Turns what a handler found into its answer. */
@Injectable()
class FoundInterceptor implements NestInterceptor<Found, object> {
  intercept(context: ExecutionContext, next: CallHandler<Found>): Observable<object> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(
      map(({ path, revision, answer }) => {
        void reply.header('etag', entityTag(revision));
        if (http.getRequest<FastifyRequest>().method === 'POST') void reply.header('location', path);
        return answer;
      }),
    );
  }
}

export function definitionsController(rules: DefinitionRules<DefinitionKind>): Type {
  const documented = documentationOf(rules);

  @ApiTags(`${rules.kind}s`)
  @ApiBearerAuth('bearer')
  @UseGuards(CallerGuard)
  @UseInterceptors(EventStoreOutageInterceptor)
  @UsePipes(InputPipe)
  @Controller(`v1/sites/:site/${rules.plural}`)
  class DefinitionsController {
    constructor(@Inject(DefinitionsDesk) private readonly desk: DefinitionsDesk) {}

    @Post()
    @UseInterceptors(FoundInterceptor)
    @NeedsScope('definitions:write')
    @documented.Create()
    create(
      @Param('site') idOrDomain: string,
      @Body() body: object,
      @Calling() caller: Caller,
    ): Promise<Found> {
      const id = newId(rules.idPrefix);
      return this.desk.save({ rules, caller, idOrDomain }, { wish: 'create', id, body });
    }

    @Get()
    @NeedsScope('sites:admin', 'stats:read')
    @documented.List()
    list(@Param('site') idOrDomain: string, @Query() query: object, @Calling() caller: Caller): object {
      return this.desk.list({ rules, caller, idOrDomain }, query);
    }

    @Get(':id')
    @UseInterceptors(FoundInterceptor)
    @NeedsScope('sites:admin', 'stats:read')
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
