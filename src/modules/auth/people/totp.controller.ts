// The second factor of one's own account, over HTTP.
import { Body, HttpCode, Post, Req, UseInterceptors } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { ApiProblems } from '../api-answers.js';
import { Admits, SignedInAs } from '../caller.guard.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { Whences } from '../whences.js';
import {
  ConfirmTotpBody,
  DisableTotpBody,
  EnrolTotpBody,
  RecoveryCodesAnswer,
  TotpEnrolmentAnswer,
} from './me.dto.js';
import { NoStoreInterceptor } from './no-store.interceptor.js';
import { OwnAccount } from './own-account.js';
import { People } from './people.js';
import { DisableTotp, EnableTotp } from './sign-ins/change-totp.command.js';
import { GuessLimits } from './sign-ins/guess-limits.js';
import type { SignedInPerson } from './tokens/access-tokens.js';
import { MailedTokens } from './tokens/mailed-tokens.js';
import { base32, enrolmentUri, newTotpSecret } from './totp.js';

const PASSWORD_WRONG = 'The password is wrong, or you showed a key.';
const ON_ALREADY = 'The account has a second factor already: switch it off first.';
const CODE_WRONG = 'The code is wrong, or was used before. Wait for the next one.';

@ControlPlaneController('v1/me/totp', { tag: 'Accounts' })
@UseInterceptors(NoStoreInterceptor)
@Admits('people')
export class TotpController {
  constructor(
    private readonly commands: CommandBus,
    private readonly people: People,
    private readonly account: OwnAccount,
    private readonly tokens: MailedTokens,
    private readonly limits: GuessLimits,
    private readonly whences: Whences,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'enrolTotp',
    summary: 'Begin with a second factor',
    description: 'Nothing is stored until the first code confirms that the app has it right.',
  })
  @ApiResponse({ status: 200, type: TotpEnrolmentAnswer })
  @ApiProblems({ 400: 'Some fields are not valid.', 403: PASSWORD_WRONG, 409: ON_ALREADY })
  async enrol(
    @Body() { password }: EnrolTotpBody,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() { ip }: FastifyRequest,
  ): Promise<TotpEnrolmentAnswer> {
    const person = await this.account.of(signedIn);
    await this.account.requirePassword(person, password, ip);
    if (person.totp !== null) throw Problem.conflict(ON_ALREADY);
    const { email } = await this.people.profileOf(person);
    const secret = newTotpSecret();
    const enrolment = { person: person.id, secret: secret.toString('base64url') };
    return {
      secret: base32(secret),
      uri: enrolmentUri(secret, email ?? person.id),
      enrolment: this.tokens.make('enrol-totp', enrolment),
    };
  }

  @Post('confirm')
  @HttpCode(200)
  @ApiOperation({ operationId: 'confirmTotp', summary: 'Switch the second factor on, by its first code' })
  @ApiResponse({ status: 200, type: RecoveryCodesAnswer })
  @ApiProblems({ 400: `The enrolment is too old. Or: ${CODE_WRONG}`, 409: ON_ALREADY })
  async confirm(
    @Body() { enrolment, code }: ConfirmTotpBody,
    @SignedInAs() { person }: SignedInPerson,
    @Req() request: FastifyRequest,
  ): Promise<RecoveryCodesAnswer> {
    await this.limits.countSecondFactor(person);
    const enabled = await this.commands.execute(
      new EnableTotp({ person, enrolment, code, from: this.whences.of(request) }),
    );
    switch (enabled.outcome) {
      case 'enabled':
        return { recoveryCodes: enabled.recoveryCodes };
      case 'enabled-before':
        throw Problem.conflict(ON_ALREADY);
      case 'enrolment-refused':
        throw Problem.badRequest('The enrolment is too old: begin again.', [
          { path: 'enrolment', message: 'enrolment is not good' },
        ]);
      case 'code-refused':
        throw codeRefused();
    }
  }

  @Post('disable')
  @HttpCode(204)
  @ApiOperation({ operationId: 'disableTotp', summary: 'Switch the second factor off' })
  @ApiResponse({ status: 204, description: 'Signing in takes the password only.' })
  @ApiProblems({ 400: CODE_WRONG, 403: PASSWORD_WRONG })
  async disable(
    @Body() { password, code }: DisableTotpBody,
    @SignedInAs() signedIn: SignedInPerson,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const person = await this.account.of(signedIn);
    await this.account.requirePassword(person, password, request.ip);
    await this.limits.countSecondFactor(person.id);
    const outcome = await this.commands.execute(new DisableTotp(person.id, code, this.whences.of(request)));
    if (outcome === 'code-refused') throw codeRefused();
  }
}

const codeRefused = (): Problem =>
  Problem.badRequest(CODE_WRONG, [{ path: 'code', message: 'code is not good' }]);
