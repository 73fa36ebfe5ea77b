// Who asks, and their own account, over HTTP.
import {
  Body,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Put,
  Query,
  Req,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { bearerKey, type Caller, originOfPerson } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { Admits, Calling, SignedInAs } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { pageOf } from '../page.js';
import { ListParameters } from '../sites/site.dto.js';
import { Whences } from '../whences.js';
import { AccountView } from './account-view.js';
import { AccountLetters } from './account-letters.js';
import {
  ChangeMeBody,
  ChangePasswordBody,
  MeAnswer,
  PersonAnswer,
  PresenceBody,
  sessionAnswer,
  SessionListAnswer,
} from './me.dto.js';
import { NoStoreInterceptor } from './no-store.interceptor.js';
import { ErasePerson } from './erase-person.command.js';
import { OwnAccount } from './own-account.js';
import { ChangePassword } from './passwords/change-password.command.js';
import { OWNER_NEEDED, requireErased } from './people.controller.js';
import { People } from './people.js';
import { RenamePerson } from './rename-person.command.js';
import { GuessLimits } from './sign-ins/guess-limits.js';
import { SessionCookie } from './sign-ins/session-cookie.js';
import { SignIns } from './sign-ins/sign-ins.js';
import { SignOut } from './sign-ins/sign-out.command.js';
import type { SignedInPerson } from './tokens/access-tokens.js';

const SESSION_UNKNOWN = 'You are not signed in like that.';

@ControlPlaneController('v1/me', { tag: 'Accounts' })
@UseInterceptors(NoStoreInterceptor)
export class MeController {
  constructor(
    private readonly commands: CommandBus,
    private readonly people: People,
    private readonly account: OwnAccount,
    private readonly view: AccountView,
    private readonly signIns: SignIns,
    private readonly limits: GuessLimits,
    private readonly letters: AccountLetters,
    private readonly cookie: SessionCookie,
    private readonly whences: Whences,
  ) {}

  @Get()
  @Admits('anybody')
  @ApiOperation({ operationId: 'readMe', summary: 'Read who asks, and what they may' })
  @ApiResponse({ status: 200, type: MeAnswer })
  @ApiProblems({})
  async read(
    @Calling() { id, merchant, site, scopes }: Caller,
    @SignedInAs() signedIn: SignedInPerson | undefined,
    @Req() request: FastifyRequest,
  ): Promise<MeAnswer> {
    const answer = { id, merchant: merchant || null, site, scopes: [...scopes] };
    if (signedIn === undefined) return answer;
    const secret = bearerKey(request.headers) === undefined ? this.cookie.of(request) : undefined;
    return {
      ...answer,
      person: await this.view.person(await this.account.of(signedIn)),
      merchants: await this.view.merchantsOf(signedIn.person),
      ...(secret !== undefined && { csrf_token: this.cookie.csrfToken(secret) }),
    };
  }

  @Patch()
  @Admits('people')
  @ApiOperation({ operationId: 'changeMe', summary: 'Change one’s name or address' })
  @ApiResponse({
    status: 200,
    type: PersonAnswer,
    description: 'As it is now: a new address is not in force yet.',
  })
  @ApiProblems({ 400: 'Some fields are not valid.', 403: 'The password is wrong, or you showed a key.' })
  async change(
    @Body() { name, email, password }: ChangeMeBody,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() request: FastifyRequest,
  ): Promise<PersonAnswer> {
    const person = await this.account.of(signedIn);
    if (email !== undefined) {
      if (password === undefined) {
        const message = 'password is needed to change the address';
        throw Problem.badRequest('Send your password too.', [{ path: 'password', message }]);
      }
      await this.account.requirePassword(person, password, request.ip);
      await this.limits.countMail(this.people.digestOf(email));
      this.letters.changeOfEmail(person, email);
    }
    if (name === undefined) return this.view.person(person);
    const renamed = await this.commands.execute(new RenamePerson(person.id, name, this.whences.of(request)));
    return this.view.person(renamed ?? person);
  }

  @Delete()
  @HttpCode(204)
  @Admits('people')
  @ApiOperation({
    operationId: 'eraseMe',
    summary: 'Erase one’s account',
    description:
      'Ends all sign-ins and memberships, and destroys what opens name and address wherever they are. It cannot be taken back.',
  })
  @ApiResponse({ status: 204, description: 'Erased. The address can be registered again.' })
  @ApiProblems({
    400: 'A field is missing or not valid.',
    403: 'The password or code is wrong, or you showed a key.',
    409: OWNER_NEEDED,
  })
  async erase(
    @Body() proof: PresenceBody,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const person = await this.account.of(signedIn);
    const origin = originOfPerson(person.id, this.whences.of(request));
    await this.account.requirePresence(person, proof, { address: request.ip, origin });
    requireErased(await this.commands.execute(new ErasePerson(person.id, origin)));
    if (this.cookie.of(request) !== undefined) this.cookie.clear(reply);
  }

  @Put('password')
  @HttpCode(204)
  @Admits('people')
  @ApiOperation({
    operationId: 'changePassword',
    summary: 'Change one’s password',
    description: 'Ends all sign-ins, this one too: sign in with the new one.',
  })
  @ApiResponse({ status: 204, description: 'Changed.' })
  @ApiProblems({
    400: 'Some fields are not valid, or the new password is easy to guess.',
    403: 'The old password is wrong, or you showed a key.',
  })
  async changePassword(
    @Body() { oldPassword, newPassword }: ChangePasswordBody,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const person = await this.account.of(signedIn);
    await this.account.countGuess(person, request.ip);
    const changed = await this.commands.execute(
      new ChangePassword({
        ...{ person: person.id, password: newPassword, proof: { oldPassword } },
        from: this.whences.of(request),
      }),
    );
    if (changed.outcome === 'refused') throw Problem.forbidden('The old password is wrong.');
    if (changed.outcome === 'unfit') {
      const errors = [{ path: 'newPassword', message: `newPassword ${changed.fault}` }];
      throw Problem.badRequest('Choose another password.', errors);
    }
    this.letters.passwordChanged(changed.person);
  }

  @Get('sessions')
  @Admits('people')
  @ApiOperation({ operationId: 'listSessions', summary: 'List where one is signed in' })
  @ApiResponse({ status: 200, type: SessionListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  async listSessions(
    @Query() { limit, cursor }: ListParameters,
    @SignedInAs() { person, signIn, generation }: SignedInPerson,
  ): Promise<SessionListAnswer> {
    const open = (await this.signIns.ofPerson(person)).filter((one) => one.generation >= generation);
    const page = pageOf(open, { limit, cursor, nameOf: ({ id }) => id });
    return { sessions: page.items.map((one) => sessionAnswer(one, signIn)), next_cursor: page.nextCursor };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @Admits('people')
  @ApiParam({ name: 'id', example: 'si7Gk2mQx9RtP' })
  @ApiOperation({ operationId: 'endSession', summary: 'Sign out somewhere else' })
  @ApiResponse({ status: 204, description: 'Signed out there; tokens are refused within seconds.' })
  @ApiProblems({ 404: SESSION_UNKNOWN })
  async endSession(
    @Param('id') id: string,
    @SignedInAs() { person }: SignedInPerson,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const isOwn = (await this.signIns.ofPerson(person)).some((one) => one.id === id);
    if (!isOwn) throw Problem.notFound(SESSION_UNKNOWN);
    await this.commands.execute(new SignOut({ person, signIn: id, from: this.whences.of(request) }));
  }
}
