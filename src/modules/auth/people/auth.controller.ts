// Registering, signing in and out over HTTP, open to everybody. No answer, and no time that one takes, tells whether
// an address has an account.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Body,
  Controller,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { ApiOpenProblems, ApiProblems } from '../api-answers.js';
import { AuthTelemetry } from '../auth.telemetry.js';
import { Admits, CallerGuard, SignedInAs } from '../caller.guard.js';
import { EventStoreOutageInterceptor } from '../event-store-outage.interceptor.js';
import { InputPipe } from '../input.pipe.js';
import { Whences } from '../whences.js';
import { AccountLetters } from './account-letters.js';
import {
  CookieAnswer,
  EmailBody,
  LoginBody,
  LogoutBody,
  RefreshBody,
  RegisterBody,
  RegisteredAnswer,
  ResetPasswordBody,
  TokenBody,
  TokensAnswer,
} from './auth.dto.js';
import { NoStoreInterceptor } from './no-store.interceptor.js';
import { ChangePassword } from './passwords/change-password.command.js';
import { PasswordHashing } from './passwords/password-hashing.js';
import { passwordFault } from './passwords/password-rules.js';
import { People } from './people.js';
import { REGISTRATION_REFUSED, RegistrationGate } from './registration-gate.js';
import { RegisterPerson } from './register-person.command.js';
import { GuessLimits } from './sign-ins/guess-limits.js';
import { RefreshSignIn } from './sign-ins/refresh.command.js';
import { SessionCookie } from './sign-ins/session-cookie.js';
import type { SignIn } from './sign-ins/sign-in.entity.js';
import { requiresVerifiedEmail, SignInPerson } from './sign-ins/sign-in.command.js';
import { SignOut } from './sign-ins/sign-out.command.js';
import { ACCESS_TOKEN_LIFE_SECONDS, AccessTokens, type SignedInPerson } from './tokens/access-tokens.js';
import { MailedTokens } from './tokens/mailed-tokens.js';
import { VerifyEmail } from './verify-email.command.js';

/** Registering takes longer where there is something to store: told at the next of these moments. */
const ANSWER_GRAIN_MS = 500;
const OPEN = { security: [] };
const TOO_MANY = 'Too many tries. Try again after Retry-After.';
const TOKEN_REFUSED = 'The token is not good, or not any more: ask for another mail.';
const NO_MEMBER = 'You are no member of such a merchant.';

@ApiTags('Accounts')
@UseInterceptors(EventStoreOutageInterceptor, NoStoreInterceptor)
@UsePipes(InputPipe)
@Controller('v1/auth')
export class AuthController {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly gate: RegistrationGate,
    private readonly commands: CommandBus,
    private readonly people: People,
    private readonly hashing: PasswordHashing,
    private readonly limits: GuessLimits,
    private readonly letters: AccountLetters,
    private readonly accessTokens: AccessTokens,
    private readonly mailedTokens: MailedTokens,
    private readonly cookie: SessionCookie,
    private readonly telemetry: AuthTelemetry,
    private readonly whences: Whences,
  ) {}

  @Post('register')
  @ApiOperation({
    ...OPEN,
    operationId: 'register',
    summary: 'Register, with a merchant of one’s own',
    description: 'Answers the same if the address has an account already: the mail that goes there says so.',
  })
  @ApiResponse({ status: 201, type: RegisteredAnswer })
  @ApiOpenProblems({
    400: 'Some fields are not valid, or the password is easy to guess.',
    403: REGISTRATION_REFUSED,
    429: TOO_MANY,
  })
  async register(@Body() body: RegisterBody, @Req() request: FastifyRequest): Promise<RegisteredAnswer> {
    const startedAt = performance.now();
    const { email, password, name, merchantName, invitation } = body;
    refuseUnfit('password', passwordFault(password, email));
    await this.#countMail(email, request.ip);
    await this.gate.admit(email, invitation);
    const passwordHash = await this.hashing.hash(password);
    const registration = { email, name, merchantName, passwordHash, isVerified: false };
    const registered = await this.commands.execute(
      new RegisterPerson(registration, this.whences.of(request)),
    );
    if (registered.outcome === 'registered') this.letters.verification(registered.person, email);
    if (registered.outcome === 'registered-before') this.letters.registeredBefore(email);
    await sleep(ANSWER_GRAIN_MS - ((performance.now() - startedAt) % ANSWER_GRAIN_MS));
    return { verificationRequired: requiresVerifiedEmail(this.config) };
  }

  @Post('verify')
  @HttpCode(204)
  @ApiOperation({ ...OPEN, operationId: 'verifyEmail', summary: 'Verify an address by the token of a mail' })
  @ApiResponse({ status: 204, description: 'Verified; of a new address: in force.' })
  @ApiOpenProblems({
    400: TOKEN_REFUSED,
    409: 'The address belongs to another account by now.',
    429: TOO_MANY,
  })
  async verify(@Body() { token }: TokenBody, @Req() request: FastifyRequest): Promise<void> {
    await this.limits.countAddress(request.ip);
    const verified = await this.commands.execute(new VerifyEmail(token, this.whences.of(request)));
    if (verified.outcome === 'email-taken') throw Problem.conflict('The address has an account by now.');
    if (verified.outcome === 'token-refused') throw tokenRefused();
    if (verified.outcome === 'changed' && verified.before !== null)
      this.letters.emailChanged(verified.before);
  }

  @Post('verification')
  @HttpCode(202)
  @ApiOperation({
    ...OPEN,
    operationId: 'sendVerification',
    summary: 'Have the mail that verifies sent again',
  })
  @ApiResponse({
    status: 202,
    description: 'Sent, if there is such an account and its address not verified.',
  })
  @ApiOpenProblems({ 400: 'That is no address.', 429: TOO_MANY })
  async sendVerification(@Body() { email }: EmailBody, @Req() { ip }: FastifyRequest): Promise<void> {
    await this.#countMail(email, ip);
    this.letters.verificationAgain(email);
  }

  @Post('login')
  @HttpCode(200)
  @ApiExtraModels(TokensAnswer, CookieAnswer)
  @ApiOperation({ ...OPEN, operationId: 'login', summary: 'Sign in' })
  @ApiResponse({
    status: 200,
    description: 'Tokens, or with `cookie` a cookie and the token to send beside it.',
    content: {
      'application/json': {
        schema: { oneOf: [{ $ref: getSchemaPath(TokensAnswer) }, { $ref: getSchemaPath(CookieAnswer) }] },
      },
    },
  })
  @ApiOpenProblems({
    400: 'Some fields are not valid.',
    401: 'There is no such account, the password is wrong, or the address is not verified; or `second-factor-required`: send `totp` too.',
    404: NO_MEMBER,
    429: TOO_MANY,
  })
  async login(
    @Body() { email, password, totp, merchant, cookie = false }: LoginBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TokensAnswer | CookieAnswer> {
    const credentials = { email, password, code: totp, merchant, byCookie: cookie };
    const client = {
      ...{ address: request.ip, userAgent: request.headers['user-agent'] },
      whence: this.whences.of(request),
    };
    const signedIn = await this.commands.execute(new SignInPerson(credentials, client));
    if (signedIn.outcome === 'no-member') throw Problem.notFound(NO_MEMBER);
    if (signedIn.outcome !== 'signed-in') {
      this.telemetry.refused('credentials');
      throw signedIn.outcome === 'refused' ? credentialsRefused() : secondFactorNeeded(signedIn.outcome);
    }
    const { signIn, secret } = signedIn;
    if (!cookie) return this.#tokens(signIn, secret);
    this.cookie.set(reply, secret, signIn.endsAt);
    const expires_in = Math.floor((signIn.endsAt.getTime() - Date.now()) / 1000);
    return { csrf_token: this.cookie.csrfToken(secret), expires_in };
  }

  @Post('refresh')
  @HttpCode(200)
  @ApiOperation({
    ...OPEN,
    operationId: 'refresh',
    summary: 'Get the next tokens',
    description: 'A refresh token is good once. One that comes again ends the sign-in, whoever sent it.',
  })
  @ApiResponse({ status: 200, type: TokensAnswer })
  @ApiOpenProblems({
    400: 'Some fields are not valid.',
    401: 'Sign in again.',
    404: NO_MEMBER,
    429: TOO_MANY,
  })
  async refresh(
    @Body() { refresh_token: refreshToken, merchant }: RefreshBody,
    @Req() request: FastifyRequest,
  ): Promise<TokensAnswer> {
    const refreshed = await this.commands.execute(
      new RefreshSignIn({ refreshToken, merchant, from: this.whences.of(request) }),
    );
    if (refreshed.outcome === 'refreshed') return this.#tokens(refreshed.signIn, refreshed.secret);
    if (refreshed.outcome === 'no-member') throw Problem.notFound(NO_MEMBER);
    await this.limits.countAddress(request.ip);
    this.telemetry.refused('credentials');
    throw Problem.unauthorized('The refresh token is not good, or not any more: sign in again.');
  }

  @Post('logout')
  @HttpCode(204)
  @UseGuards(CallerGuard)
  @Admits('people')
  @ApiBearerAuth('bearer')
  @ApiOperation({ operationId: 'logout', summary: 'Sign out, here or everywhere' })
  @ApiResponse({ status: 204, description: 'Signed out; tokens are refused within seconds.' })
  @ApiProblems({ 400: 'Some fields are not valid.', 409: 'Another issuer signed you in: sign out there.' })
  async logout(
    @Body() { everywhere = false }: LogoutBody,
    @SignedInAs() { person, signIn }: SignedInPerson,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    if (signIn === null && !everywhere)
      throw Problem.conflict('Another issuer signed you in: sign out there.');
    const from = this.whences.of(request);
    await this.commands.execute(new SignOut({ person, signIn: everywhere ? null : signIn, from }));
    if (this.cookie.of(request) !== undefined) this.cookie.clear(reply);
  }

  @Post('password/forgot')
  @HttpCode(202)
  @ApiOperation({
    ...OPEN,
    operationId: 'forgotPassword',
    summary: 'Have a mail sent to choose a new password',
  })
  @ApiResponse({ status: 202, description: 'Sent, if there is such an account.' })
  @ApiOpenProblems({ 400: 'That is no address.', 429: TOO_MANY })
  async forgotPassword(@Body() { email }: EmailBody, @Req() { ip }: FastifyRequest): Promise<void> {
    await this.#countMail(email, ip);
    this.letters.forgottenPassword(email);
  }

  @Post('password/reset')
  @HttpCode(204)
  @ApiOperation({
    ...OPEN,
    operationId: 'resetPassword',
    summary: 'Choose a new password by the token of a mail',
    description: 'The token is good for an hour, and once. Ends all sign-ins.',
  })
  @ApiResponse({ status: 204, description: 'Sign in with the new password.' })
  @ApiOpenProblems({ 400: `${TOKEN_REFUSED} Or the password is easy to guess.`, 429: TOO_MANY })
  async resetPassword(@Body() body: ResetPasswordBody, @Req() request: FastifyRequest): Promise<void> {
    await this.limits.countAddress(request.ip);
    const reset = this.mailedTokens.open('reset-password', body.token);
    if (reset === undefined) throw tokenRefused();
    const { person, generation } = reset;
    const changed = await this.commands.execute(
      new ChangePassword({
        ...{ person, password: body.password, proof: { mailedTo: generation } },
        from: this.whences.of(request),
      }),
    );
    if (changed.outcome === 'refused') throw tokenRefused();
    if (changed.outcome === 'unfit') return refuseUnfit('password', changed.fault);
    this.letters.passwordChanged(changed.person);
  }

  async #countMail(email: string, ip: string): Promise<void> {
    await this.limits.countAddress(ip);
    await this.limits.countMail(this.people.digestOf(email));
  }

  async #tokens(signIn: SignIn, secret: string): Promise<TokensAnswer> {
    const { person, merchant, generation } = signIn;
    return {
      access_token: await this.accessTokens.issue({ person, signIn: signIn.id, merchant, generation }),
      token_type: 'Bearer',
      expires_in: ACCESS_TOKEN_LIFE_SECONDS,
      refresh_token: secret,
    };
  }
}

function refuseUnfit(path: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw Problem.badRequest('Choose another password.', [{ path, message: `${path} ${fault}` }]);
}

const tokenRefused = (): Problem =>
  Problem.badRequest(TOKEN_REFUSED, [{ path: 'token', message: 'token is not good' }]);

const credentialsRefused = (): Problem =>
  new Problem({
    status: 401,
    type: 'credentials-refused',
    title: 'Nobody signs in like this',
    detail: 'The e-mail address or the password is wrong, or the address is not verified yet.',
  });

const secondFactorNeeded = (outcome: 'second-factor-required' | 'second-factor-refused'): Problem =>
  new Problem({
    status: 401,
    type: outcome,
    title: 'A second factor is needed',
    detail:
      outcome === 'second-factor-required'
        ? 'Send the code of the authenticator app, or a recovery code, as totp.'
        : 'The code is wrong, or was used before. Wait for the next one.',
  });
