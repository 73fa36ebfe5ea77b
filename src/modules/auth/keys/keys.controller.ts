// API keys over HTTP, once for each place where there are some.
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
import { NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { InputOf } from '../input.pipe.js';
import type { IdSource } from '../random-ids.js';
import { ListParameters } from '../sites/site.dto.js';
import { KeyDesk } from './key.desk.js';
import { ChangeKeyBody, type IssueMerchantKeyBody, type KeyListAnswer, RotateKeyBody } from './key.dto.js';
import type { KeyPlace } from './key-places.js';
import { documentationOf } from './keys.openapi.js';
import { Asked, type KeysAsked } from './owned-keys.js';

export function keysController(place: KeyPlace): Type {
  const documented = documentationOf(place);

  @ControlPlaneController(place.path, { tag: 'Keys' })
  @NeedsScope('sites:admin')
  class KeysController {
    constructor(@Inject(KeyDesk) private readonly desk: KeyDesk) {}

    @Post()
    @UseInterceptors(FoundInterceptor)
    @Repeatable()
    @documented.Issue()
    issue(
      @Asked() asked: KeysAsked,
      @Body(new InputOf(place.issueBody)) body: object,
      @Ids() ids: IdSource,
    ): Promise<Found> {
      return this.desk.issue(asked, body as IssueMerchantKeyBody, ids);
    }

    @Get()
    @documented.List()
    list(@Asked() asked: KeysAsked, @Query() parameters: ListParameters): Promise<KeyListAnswer> {
      return this.desk.list(asked, parameters);
    }

    @Get(':id')
    @UseInterceptors(FoundInterceptor)
    @documented.Get()
    get(@Asked() asked: KeysAsked, @Param('id') id: string): Promise<Found> {
      return this.desk.get(asked, id);
    }

    @Patch(':id')
    @UseInterceptors(FoundInterceptor)
    @documented.Change()
    change(
      @Asked() asked: KeysAsked,
      @Param('id') id: string,
      @Body() body: ChangeKeyBody,
      @Expected() expected: number | 'any',
    ): Promise<Found> {
      return this.desk.change(asked, id, { body, expected });
    }

    @Post(':id/rotate')
    @UseInterceptors(FoundInterceptor)
    @Repeatable()
    @documented.Rotate()
    rotate(
      @Asked() asked: KeysAsked,
      @Param('id') id: string,
      @Body() body: RotateKeyBody,
      @Ids() ids: IdSource,
    ): Promise<Found> {
      return this.desk.rotate(asked, id, { body, ids });
    }

    @Delete(':id')
    @HttpCode(204)
    @documented.Revoke()
    revoke(@Asked() asked: KeysAsked, @Param('id') id: string): Promise<void> {
      return this.desk.revoke(asked, id);
    }
  }
  return KeysController;
}
