// Invitations over HTTP: two places, those that a merchant has sent, and the one that somebody accepts.
import { Body, Delete, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { type Caller, personOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { GuessLimits } from '../people/sign-ins/guess-limits.js';
import type { IdSource } from '../random-ids.js';
import { merchantFor } from './acting.js';
import { InvitationsDesk } from './invitations.desk.js';
import { MERCHANT_UNKNOWN } from './merchant.desk.js';
import {
  AcceptInvitationBody,
  InvitationAnswer,
  invitationAnswer,
  InvitationListAnswer,
  InviteBody,
  JoinedAnswer,
  merchantAnswer,
  MerchantListParameters,
  MerchantParameters,
} from './merchant.dto.js';
import { MerchantLists } from './merchant.lists.js';

@ControlPlaneController('v1', { tag: 'Merchant' })
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsDesk,
    private readonly lists: MerchantLists,
    private readonly limits: GuessLimits,
  ) {}

  @Post('merchant/invitations')
  @Repeatable()
  @NeedsScope('members:admin')
  @ApiOperation({ operationId: 'invite', summary: 'Invite somebody by mail to become a member' })
  @ApiResponse({ status: 201, type: InvitationAnswer, description: 'The mail with the token is sent.' })
  @ApiProblems({
    400: 'Some fields are not valid.',
    403: 'The key lacks the scope, or only an owner may invite owners.',
    404: MERCHANT_UNKNOWN,
    409: 'There is an open invitation for this address, or there are too many.',
    429: 'Too many invitations went to this address within an hour, or too many requests were made. Try again after Retry-After.',
  })
  async send(
    @Query() { merchant }: MerchantParameters,
    @Body() { email, role }: InviteBody,
    @Calling() caller: Caller,
    @Ids() ids: IdSource,
  ): Promise<InvitationAnswer> {
    const sent = { merchant: merchantFor(caller, merchant), email, role, ids };
    return invitationAnswer(await this.invitations.send(caller, sent));
  }

  @Get('merchant/invitations')
  @NeedsScope('members:admin')
  @ApiOperation({ operationId: 'listInvitations', summary: 'List the invitations that can be accepted' })
  @ApiResponse({ status: 200, type: InvitationListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(
    @Query() { merchant, limit, cursor }: MerchantListParameters,
    @Calling() caller: Caller,
  ): Promise<InvitationListAnswer> {
    const wanted = { limit, cursor, now: new Date() };
    const page = await this.lists.invitations(merchantFor(caller, merchant), wanted);
    const shown = page.items.map(async ({ invitation: id, email, ...rest }) =>
      invitationAnswer({ id, ...rest, email: await this.invitations.addressOf({ id, email }) }),
    );
    return { invitations: await Promise.all(shown), next_cursor: page.nextCursor };
  }

  @Delete('merchant/invitations/:id')
  @NeedsScope('members:admin')
  @HttpCode(204)
  @ApiParam({ name: 'id', description: "The invitation's id.", example: 'i7Gk2mQx9RtP' })
  @ApiOperation({ operationId: 'withdrawInvitation', summary: 'Withdraw an invitation' })
  @ApiResponse({ status: 204, description: 'Withdrawn: its token is of no use.' })
  @ApiProblems({
    400: 'A parameter is not valid.',
    403: 'The key lacks the scope, or it is an invitation of an owner.',
    404: 'There is no such invitation, or it was used or withdrawn.',
  })
  async withdraw(
    @Param('id') id: string,
    @Query() { merchant }: MerchantParameters,
    @Calling() caller: Caller,
  ): Promise<void> {
    await this.invitations.withdraw(caller, { merchant: merchantFor(caller, merchant), id });
  }

  @Post('invitations/accept')
  @NeedsScope('stats:read')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'acceptInvitation',
    summary: 'Become a member by the token of an invitation',
    description:
      'For somebody who is signed in. The token was sent to the invited address and shown to nobody else, so it is not compared with the address of the account.',
  })
  @ApiResponse({ status: 200, type: JoinedAnswer, description: 'A member, now or already by this token.' })
  @ApiProblems({
    400: 'The token is none that was sent.',
    403: 'A key cannot become a member: sign in.',
    404: 'The invitation has expired, or was used or withdrawn, or never was.',
    409: 'The person is a member already.',
    429: 'Too many tries. Try again after Retry-After.',
  })
  async accept(
    @Body() { token }: AcceptInvitationBody,
    @Calling() caller: Caller,
    @Req() { ip }: FastifyRequest,
  ): Promise<JoinedAnswer> {
    const person = personOf(caller);
    if (person === undefined) throw Problem.forbidden('A key cannot become a member: sign in.');
    await this.limits.countAddress(ip);
    const merchant = await this.invitations.accept(caller, { person, token });
    const member = merchant.members.get(person);
    // Removed by somebody else, just after.
    if (member === undefined) throw Problem.notFound(MERCHANT_UNKNOWN);
    return { merchant: merchantAnswer(merchant), role: member.role };
  }
}
