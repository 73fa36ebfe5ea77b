// What a shared link shows, and the session that its visitors ask with: for whoever has its token. One that was
// deleted, has expired, or never was, answers alike.
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Param,
  Post,
  Req,
  Res,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { ApiOpenProblems } from '../api-answers.js';
import { AuthTelemetry } from '../auth.telemetry.js';
import { type Site, SiteDirectory } from '../directories/site.directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { InputPipe } from '../input.pipe.js';
import { RequestLimits } from '../limits/request-limits.js';
import { NoStoreInterceptor } from '../people/no-store.interceptor.js';
import { PasswordHashing } from '../people/passwords/password-hashing.js';
import { GuessLimits } from '../people/sign-ins/guess-limits.js';
import { LinkSecrets } from './link-secrets.js';
import { callerOf, LinkSessions, SESSION_LIFE_SECONDS } from './link-sessions.js';
import type { SharedLink } from './shared-link.aggregate.js';
import { SharedLinkDirectory } from './shared-link.directory.js';
import { BeginSessionBody, SessionAnswer, SharedAnswer } from './shared-link.dto.js';

const OPEN = { security: [] };
const LINK_UNKNOWN = 'There is no such link, or not any more.';
const TOO_MANY = 'Too many requests or tries. Try again after Retry-After.';
const RETRY_AFTER_SECONDS = 5;
const ApiToken = () =>
  ApiParam({
    name: 'token',
    description: 'Of the link.',
    example: 'l7Gk2mQx9RtP.hVn0m3bYkq8Zt1Xw5cR7pLs2dJf4GaQe',
  });

interface Opened {
  readonly link: SharedLink;
  readonly site: Site;
}

@ApiTags('Shared links')
@UseInterceptors(NoStoreInterceptor)
@UsePipes(InputPipe)
@Controller('v1/shared/:token')
export class OpenedLinksController {
  constructor(
    private readonly links: SharedLinkDirectory,
    private readonly sites: SiteDirectory,
    private readonly secrets: LinkSecrets,
    private readonly sessions: LinkSessions,
    private readonly hashing: PasswordHashing,
    private readonly guesses: GuessLimits,
    private readonly limits: RequestLimits,
    private readonly directories: DirectoryFollower,
    private readonly telemetry: AuthTelemetry,
  ) {}

  @Get()
  @ApiToken()
  @ApiOperation({ ...OPEN, operationId: 'readShared', summary: 'Read what a shared link shows' })
  @ApiResponse({ status: 200, type: SharedAnswer })
  @ApiOpenProblems({ 404: LINK_UNKNOWN, 429: TOO_MANY })
  async read(
    @Param('token') token: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SharedAnswer> {
    const { link, site } = await this.#open(token, request, reply);
    const { domain, name, timezone, currency } = site;
    const { embeddable, allowedHosts, password, expiresAt } = link;
    return {
      site: { domain, name, timezone, currency },
      passwordRequired: password !== null,
      ...{ embeddable, allowedHosts, expiresAt: expiresAt?.toISOString() ?? null },
    };
  }

  @Post('session')
  @HttpCode(200)
  @ApiToken()
  @ApiOperation({
    ...OPEN,
    operationId: 'beginSharedSession',
    summary: 'Get the token by which to ask for the numbers of the site',
    description: `Good for ${SESSION_LIFE_SECONDS} seconds, and no longer than the link or its password. Then ask again.`,
  })
  @ApiResponse({ status: 200, type: SessionAnswer })
  @ApiOpenProblems({
    400: 'Some fields are not valid.',
    401: 'The link asks for a password, and this is not it.',
    404: LINK_UNKNOWN,
    429: TOO_MANY,
  })
  async begin(
    @Param('token') token: string,
    @Body() { password }: BeginSessionBody,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionAnswer> {
    const { link } = await this.#open(token, request, reply);
    await this.#checkPassword(link, password, request.ip);
    return {
      access_token: await this.sessions.begin(link),
      token_type: 'Bearer',
      expires_in: SESSION_LIFE_SECONDS,
    };
  }

  /** @throws Problem 404, 429, or 503 while nobody knows what was deleted */
  async #open(token: string, request: FastifyRequest, reply: FastifyReply): Promise<Opened> {
    if (this.directories.isStale) {
      this.telemetry.refused('directories-stale');
      throw Problem.unavailable('Links cannot be checked at the moment.', RETRY_AFTER_SECONDS);
    }
    const id = this.secrets.idOf(token);
    const link = id === undefined ? undefined : this.links.open(id);
    const site = link && this.sites.find(link.site);
    if (link === undefined || site === undefined) {
      this.telemetry.refused('unknown-link');
      await this.limits.countRefusal(request.ip, reply);
      throw Problem.notFound(LINK_UNKNOWN);
    }
    await this.limits.countRequest(callerOf(link), request, reply);
    return { link, site };
  }

  /** @throws Problem 401, 429 */
  async #checkPassword({ id, password: sealed }: SharedLink, given: string | undefined, ip: string) {
    if (sealed === null) return;
    if (given !== undefined) {
      await this.guesses.countLinkGuess(id, ip);
      const { isRight } = await this.hashing.check(given, this.secrets.openPassword(id, sealed));
      if (isRight) return;
      this.telemetry.refused('credentials');
    }
    throw new Problem({
      status: 401,
      type: 'link-password-refused',
      title: 'The link asks for a password',
      detail: 'Send the right password of the link as password.',
    });
  }
}
