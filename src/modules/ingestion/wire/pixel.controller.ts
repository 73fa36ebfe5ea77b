// GET /v1/pixel.gif: a pageview of who runs no scripts, told by an image. The same steps, accounting and durability as
// a POST. It has no key: one in a URL would be refused, and the one of a page is no secret; whose pages may tell of a
// site is the site's to say (`allowedOrigins`).
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { IntakeRoute } from '../../../http/route-kind.js';
import { hasKeyInUrl, KEY_IN_URL } from '../../auth/keys/key-in-url.js';
import { Intake } from '../intake.js';
import { ANYBODY } from './anybody.js';
import { answerOf } from './native-answer.js';
import { optedOut, senderOf } from './sender.js';
import { GIF_TYPE, TRANSPARENT_GIF } from './transparent-gif.js';

const FIELDS = ['site', 'url', 'id', 'name', 'referrer', 'title'] as const;

@ApiTags('Intake')
@Controller('v1/pixel.gif')
export class PixelController {
  constructor(@Inject(Intake) private readonly intake: Intake) {}

  @Get()
  @IntakeRoute()
  @ApiOperation({
    summary: 'Receive a pageview as an image',
    description:
      'For <noscript>, mails and wherever no script runs. 200 means that the event is durable, or was in order and is not kept for want of consent. Without key: pages are told apart by `allowedOrigins` of the site.',
    security: [],
  })
  @ApiQuery({ name: 'site', example: 'shop.example', description: 'Id or domain.' })
  @ApiQuery({
    name: 'url',
    required: false,
    example: 'https://shop.example/pricing',
    description:
      'Absent: the header Referer, which is the origin alone unless the image has referrerpolicy="no-referrer-when-downgrade".',
  })
  @ApiQuery({ name: 'name', required: false, description: 'Default: `pageview`.' })
  @ApiQuery({ name: 'id', required: false, description: 'As of POST /v1/events: counted once under it.' })
  @ApiQuery({ name: 'referrer', required: false })
  @ApiQuery({ name: 'title', required: false })
  @ApiProduces(GIF_TYPE)
  @ApiResponse({ status: 200, description: 'A transparent GIF of 43 bytes, which no cache keeps.' })
  @ApiResponse({ status: 400, description: 'The event was not acceptable; `errors` says why.' })
  @ApiResponse({ status: 403, description: 'The site does not allow events from this page.' })
  @ApiResponse({ status: 404, description: 'No such site.' })
  @ApiResponse({
    status: 429,
    description:
      'More events arrive of the site, or from the address, than it may send, or the quota of the month is used up.',
  })
  @ApiResponse({ status: 503, description: 'Nothing was counted.' })
  async receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (hasKeyInUrl(request.url)) throw Problem.unauthorized(KEY_IN_URL);
    // Who only asks what an answer would look like has not looked at a page.
    if (request.method !== 'HEAD') await this.count(request, reply);
    void reply
      .header('content-type', GIF_TYPE)
      .header('cache-control', 'no-store')
      .header('cross-origin-resource-policy', 'cross-origin')
      .send(TRANSPARENT_GIF);
  }

  /** @throws Problem unless the event is durable, or not wanted */
  private async count(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const outcome = await this.intake.receive({
      wire: 'native',
      inputs: [inputOf(request)],
      caller: ANYBODY,
      server: false,
      optedOut: optedOut(request),
      receivedAt: Date.now(),
      clockOffsetMs: 0,
      sender: senderOf(request),
    });
    answerOf(outcome, { reply, path: () => '' });
  }
}

/** Whatever the values are: the steps check them. */
function inputOf({ query, headers }: FastifyRequest): Readonly<Record<string, unknown>> {
  const given = query as Readonly<Record<string, unknown>>;
  const input: Record<string, unknown> = { url: headers.referer };
  for (const field of FIELDS) if (given[field] !== undefined) input[field] = given[field];
  return input;
}
