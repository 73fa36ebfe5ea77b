// A merchant's members over HTTP. Whoever is removed, or has another role, is answered accordingly from the next
// request on, on this node at once and on others as soon as they hear.
import { Body, Delete, Get, HttpCode, Param, Patch, Query, UseInterceptors } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, personOf, requireScope } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Expected, type Found, FoundInterceptor } from '../found.js';
import { merchantFor } from './acting.js';
import { NOBODY, People } from '../people/people.js';
import { MerchantDesk } from './merchant.desk.js';
import {
  ChangeRoleBody,
  MemberAnswer,
  memberAnswer,
  MemberListAnswer,
  MerchantListParameters,
  MerchantParameters,
} from './merchant.dto.js';
import { MerchantLists } from './merchant.lists.js';
import { ApiPerson, ETAG } from './merchant.openapi.js';

const MEMBER_UNKNOWN = 'There is no such member.';
const LAST_OWNER = 'The merchant would be left without an owner, or has changed since it was read.';

const PATH = '/v1/merchant/members';

@ControlPlaneController('v1/merchant/members', { tag: 'Merchant' })
export class MembersController {
  constructor(
    private readonly desk: MerchantDesk,
    private readonly lists: MerchantLists,
    private readonly people: People,
  ) {}

  @Get()
  @NeedsScope('members:admin')
  @ApiOperation({ operationId: 'listMembers', summary: 'List who belongs to the merchant' })
  @ApiResponse({ status: 200, type: MemberListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(
    @Query() { merchant, limit, cursor }: MerchantListParameters,
    @Calling() caller: Caller,
  ): Promise<MemberListAnswer> {
    const page = await this.lists.members(merchantFor(caller, merchant), { limit, cursor });
    const profiles = await this.people.profilesOf(page.items.map(({ person }) => person));
    const members = page.items.map((item) => memberAnswer(item, profiles.get(item.person) ?? NOBODY));
    return { members, next_cursor: page.nextCursor };
  }

  @Patch(':person')
  @NeedsScope('members:admin')
  @UseInterceptors(FoundInterceptor)
  @ApiPerson()
  @ApiOperation({ operationId: 'changeMember', summary: "Change a member's role, at once" })
  @ApiResponse({ status: 200, type: MemberAnswer, headers: ETAG })
  @ApiProblems({
    400: 'Some fields are not valid.',
    403: 'The key lacks the scope, or an owner is concerned.',
    404: MEMBER_UNKNOWN,
    409: LAST_OWNER,
  })
  async change(
    @Param('person') person: string,
    @Query() { merchant }: MerchantParameters,
    @Body() { role }: ChangeRoleBody,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<Found> {
    const wish = { wish: 'change-role', person, role } as const;
    const changed = await this.desk.change(caller, {
      merchant: merchantFor(caller, merchant),
      wish,
      expected,
    });
    const member = changed.members.get(person);
    // Removed by somebody else, just after.
    if (member === undefined) throw Problem.notFound(MEMBER_UNKNOWN);
    const profile = (await this.people.profilesOf([person])).get(person) ?? NOBODY;
    return { path: `${PATH}/${person}`, revision: changed.revision, answer: memberAnswer(member, profile) };
  }

  @Delete(':person')
  @NeedsScope('members:admin', 'stats:read')
  @HttpCode(204)
  @ApiPerson()
  @ApiOperation({ operationId: 'removeMember', summary: 'Remove a member, at once, or leave' })
  @ApiResponse({ status: 204, description: 'Removed.' })
  @ApiProblems({
    400: 'A parameter is not valid.',
    403: 'The key lacks the scope, or an owner is concerned.',
    404: MEMBER_UNKNOWN,
    409: LAST_OWNER,
  })
  async remove(
    @Param('person') person: string,
    @Query() { merchant }: MerchantParameters,
    @Expected() expected: number | 'any',
    @Calling() caller: Caller,
  ): Promise<void> {
    if (personOf(caller) !== person) requireScope(caller, 'members:admin');
    const wish = { wish: 'remove', person } as const;
    await this.desk.change(caller, { merchant: merchantFor(caller, merchant), wish, expected });
  }
}
