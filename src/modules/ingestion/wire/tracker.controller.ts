// GET /t.js and /t.core.js: the tracker, as pages of every origin load it. Under its own name for five minutes, so
// that all pages soon have the latest; under the name of its content for ever. What is not the latest is answered by the
// latest: pages that name a version go on counting after an update.
import { Controller, Get, Inject, Param, Req, Res } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiHeader,
  ApiOperation,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isKnown } from '../../../http/etag.js';
import { Problem } from '../../../http/problem.js';
import { IntakeRoute } from '../../../http/route-kind.js';
import { type ScriptName, type TrackerScript, TrackerScripts } from '../tracker-scripts.js';

const FOR_FIVE_MINUTES = 'public, max-age=300, stale-while-revalidate=86400';
const FOR_EVER = 'public, max-age=31536000, immutable';
const VERSIONED = /^([0-9a-f]{16})\.js$/;

const describes = (summary: string): MethodDecorator => ApiOperation({ summary, security: [] });

@ApiTags('Intake')
@Controller()
export class TrackerController {
  constructor(@Inject(TrackerScripts) private readonly scripts: TrackerScripts) {}

  @Get('t.js')
  @IntakeRoute()
  @describes('The tracker: what a page loads')
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'An ETag: 304 while it is the same.' })
  @ApiProduces('text/javascript')
  @ApiResponse({
    status: 200,
    description: 'Content-Location names it by its content: there it is immutable.',
  })
  @ApiResponse({ status: 304, description: 'It is what you have.' })
  latest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.send('t', { request, reply, cacheControl: FOR_FIVE_MINUTES });
  }

  @Get('t.core.js')
  @IntakeRoute()
  @describes('The tracker with pageviews and called events only: half the size')
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'An ETag: 304 while it is the same.' })
  @ApiProduces('text/javascript')
  @ApiResponse({ status: 200, description: 'As /t.js.' })
  @ApiResponse({ status: 304, description: 'It is what you have.' })
  latestCore(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.send('t.core', { request, reply, cacheControl: FOR_FIVE_MINUTES });
  }

  @Get('t-:version')
  @IntakeRoute()
  @ApiExcludeEndpoint()
  version(
    @Param('version') version: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    this.sendVersion('t', { version, request, reply });
  }

  @Get('t.core-:version')
  @IntakeRoute()
  @ApiExcludeEndpoint()
  coreVersion(
    @Param('version') version: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    this.sendVersion('t.core', { version, request, reply });
  }

  private sendVersion(
    name: ScriptName,
    { version, ...exchange }: Exchange & { readonly version: string },
  ): void {
    const named = VERSIONED.exec(version)?.[1];
    if (named === undefined) throw Problem.notFound('There is nothing at this path.');
    if (named === this.scripts.of(name).version) {
      this.send(name, { ...exchange, cacheControl: FOR_EVER });
      return;
    }
    void exchange.reply
      .status(302)
      .headers({ location: `/${name}.js`, 'cache-control': 'no-store', ...FOR_ALL_PAGES })
      .send();
  }

  private send(
    name: ScriptName,
    { request, reply, cacheControl }: Exchange & { readonly cacheControl: string },
  ): void {
    const script = this.scripts.of(name);
    const { encoding, bytes } = bestOf(script, request.headers['accept-encoding']);
    const etag = `"${script.version}.${encoding}"`;
    void reply.headers({
      etag,
      'cache-control': cacheControl,
      'content-location': `/${name}-${script.version}.js`,
      vary: 'accept-encoding',
      ...FOR_ALL_PAGES,
    });
    if (isKnown(etag, request.headers['if-none-match'])) return void reply.status(304).send();
    if (encoding !== 'identity') void reply.header('content-encoding', encoding);
    void reply.header('content-type', 'text/javascript; charset=utf-8').send(bytes);
  }
}

interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Also those that let in nothing without leave (Cross-Origin-Embedder-Policy). */
const FOR_ALL_PAGES = { 'cross-origin-resource-policy': 'cross-origin' };

function bestOf({ encoded }: TrackerScript, accepted = ''): TrackerScript['encoded'][number] {
  const named = new Set(
    accepted
      .toLowerCase()
      .split(',')
      .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
      .map((part) => part.split(';')[0]!.trim()),
  );
  return encoded.find(({ encoding }) => encoding === 'identity' || named.has(encoding))!;
}
