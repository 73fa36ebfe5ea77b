// People over HTTP, for the operator whom somebody asks by letter: found by address, and erased.
import {
  Body,
  Controller,
  Delete,
  HttpCode,
  Param,
  Post,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { CallerGuard, Calling, NeedsScope } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { AccountView } from './account-view.js';
import { EmailBody } from './auth.dto.js';
import { ErasePerson, type ErasePersonOutcome } from './erase-person.command.js';
import { AccountAnswer } from './me.dto.js';
import { NoStoreInterceptor } from './no-store.interceptor.js';
import { People } from './people.js';

const PERSON_UNKNOWN = 'There is no such person.';
export const OWNER_NEEDED = 'Somebody must own each merchant: hand it over, or delete it first.';

@ApiTags('Operators')
@ApiBearerAuth('bearer')
@UseGuards(CallerGuard)
@UseInterceptors(EventStoreOutageInterceptor, NoStoreInterceptor)
@UsePipes(InputPipe)
@NeedsScope('operator')
@Controller('admin/v1/people')
export class PeopleController {
  constructor(
    private readonly commands: CommandBus,
    private readonly people: People,
    private readonly view: AccountView,
  ) {}

  @Post('lookup')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'findPerson',
    summary: 'Find the account of an address',
    description: 'The address goes in the body, so that it stands in no log of URLs.',
  })
  @ApiResponse({ status: 200, type: AccountAnswer })
  @ApiProblems({ 400: 'That is no address.', 404: PERSON_UNKNOWN })
  async find(@Body() { email }: EmailBody): Promise<AccountAnswer> {
    const holder = await this.people.holderOf(email);
    if (holder.is !== 'registered') throw Problem.notFound(PERSON_UNKNOWN);
    return {
      person: await this.view.person(holder.person),
      merchants: await this.view.merchantsOf(holder.person.id),
    };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiParam({ name: 'id', description: "The person's id.", example: 'p7Gk2mQx9RtP' })
  @ApiOperation({ operationId: 'erasePerson', summary: "Erase somebody's account who asks for it" })
  @ApiResponse({ status: 204, description: 'Erased, now or before.' })
  @ApiProblems({ 404: PERSON_UNKNOWN, 409: OWNER_NEEDED })
  async erase(@Param('id') id: string, @Calling() caller: Caller): Promise<void> {
    if (!/^[\w-]{1,64}$/.test(id)) throw Problem.notFound(PERSON_UNKNOWN);
    requireErased(await this.commands.execute(new ErasePerson(id, originOf(caller))));
  }
}

/** @throws Problem */
export function requireErased(outcome: ErasePersonOutcome): void {
  if (outcome.outcome === 'erased') return;
  if (outcome.outcome === 'person-unknown') throw Problem.notFound(PERSON_UNKNOWN);
  const owned = outcome.merchants.map(({ id, name }) => `${name} (${id})`).join(', ');
  throw Problem.conflict(`There is no other owner of ${owned}. ${OWNER_NEEDED}`);
}
