// POST /v1/events, Tidemark's own wire format: body → inputs → Intake → answer. No guard, pipe or
// interceptor: this is the hot path, and the key check needs the request only.
import { Controller, HttpCode, Inject, Options, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ofStatus } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import { IntakeRoute } from '../../../http/route-kind.js';
import { bearerKey, hasScope, type Caller, requireScope } from '../../auth/access.js';
import { KeyDirectory } from '../../auth/directories/key.directory.js';
import { hasKeyInUrl, KEY_IN_URL } from '../../auth/keys/key-in-url.js';
import { Intake, type IntakeOutcome } from '../intake.js';
import { answerPreflight } from './cross-origin.js';
import { answerOf, type Asked, type PathOf } from './native-answer.js';
import { ACCEPTED_SCHEMA, EVENTS_BODY_SCHEMA, EVENTS_EXAMPLES } from './native.openapi.js';
import { optedOut, senderOf } from './sender.js';

const EVENTS_MAX = 1_000;
const SECRET_IN_BODY =
  'In the body keys stand that pages show, of scope ingest alone. Send a secret one as Authorization: Bearer <key>, ' +
  'and rotate it if it stood in a page.';

@ApiTags('Intake')
@Controller('v1/events')
export class NativeController {
  constructor(
    @Inject(Intake) private readonly intake: Intake,
    @Inject(KeyDirectory) private readonly keys: KeyDirectory,
  ) {}

  @Post()
  @HttpCode(202)
  @IntakeRoute()
  @ApiOperation({
    summary: 'Receive events',
    description:
      'One event, an array, or {"events":[…]}; at most 1,000 events, 1 MiB, 4 MiB inflated. 202 means that the accepted events are durable. A page may send its public key beside the events, and all of it as text/plain, for which browsers need no preflight.',
  })
  @ApiBody({ schema: EVENTS_BODY_SCHEMA, examples: EVENTS_EXAMPLES })
  @ApiResponse({ status: 202, schema: ACCEPTED_SCHEMA })
  @ApiResponse({ status: 400, description: 'No event was acceptable; `errors` says why, one by one.' })
  @ApiResponse({
    status: 403,
    description: 'The key lacks the scope, or no event came from a page that the site allows.',
  })
  @ApiResponse({ status: 404, description: 'No such site, or not one the key may write to.' })
  @ApiResponse({
    status: 429,
    description:
      'More events arrive of the site, or from the address, than it may send, or the quota of the month is used up. Try again after Retry-After.',
  })
  @ApiResponse({ status: 503, description: 'Nothing was acknowledged: send the same again.' })
  receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = this.holderOf(request);
    const { inputs, path, sentAt } = inputsOf(request.body);
    const receivedAt = Date.now();
    const received = this.intake.receive({
      wire: 'native',
      inputs,
      caller,
      server: hasScope(caller, 'ingest:server'),
      optedOut: optedOut(request),
      receivedAt,
      clockOffsetMs: sentAt === undefined ? 0 : Math.trunc(receivedAt - sentAt),
      sender: senderOf(request),
    });
    // It is in the log's queue now; the garbage collector need not carry it along meanwhile.
    request.body = undefined;
    return answerWhenSettled(received, { reply, path });
  }

  @Options()
  @IntakeRoute()
  @ApiExcludeEndpoint()
  preflight(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    answerPreflight(request, reply);
  }

  /** @throws Problem 401, 403 */
  private holderOf({ headers, url, body }: FastifyRequest): Caller {
    if (hasKeyInUrl(url)) throw Problem.unauthorized(KEY_IN_URL);
    const bearer = bearerKey(headers);
    const key = bearer ?? keyIn(body);
    if (key === undefined) throw Problem.unauthorized('Send an API key as `Authorization: Bearer <key>`.');
    const caller = this.keys.find(key);
    if (caller === undefined) throw Problem.unauthorized('The key is unknown, was revoked or has expired.');
    requireScope(caller, 'ingest');
    if (bearer === undefined && hasScope(caller, 'ingest:server')) throw Problem.unauthorized(SECRET_IN_BODY);
    return caller;
  }
}

/** A page would have to ask before it may send a header. */
function keyIn(body: unknown): string | undefined {
  const { key, events } = (body ?? {}) as Record<string, unknown>;
  return typeof key === 'string' && Array.isArray(events) ? key : undefined;
}

interface Inputs {
  readonly inputs: readonly unknown[];
  readonly path: PathOf;
  /** By the sender's clock, epoch milliseconds. */
  readonly sentAt?: number | undefined;
}

function inputsOf(body: unknown): Inputs {
  if (typeof body !== 'object' || body === null) {
    throw Problem.badRequest('Send one event, an array of events, or {"events": […]} as JSON.');
  }
  if (Array.isArray(body)) return counted(body, (index) => `[${index}]`);
  if (!Object.hasOwn(body, 'events')) return { inputs: [body], path: () => '' };
  const { events, sentAt } = body as Record<string, unknown>;
  if (!Array.isArray(events)) throw Problem.badRequest('`events` must be an array of events.');
  if (sentAt !== undefined && typeof sentAt !== 'number') {
    throw Problem.badRequest('`sentAt` must be epoch milliseconds, a number.');
  }
  return { ...counted(events, (index) => `events[${index}]`), sentAt };
}

function counted(inputs: readonly unknown[], path: Inputs['path']): Inputs {
  if (inputs.length === 0) throw Problem.badRequest('There is no event in the request.');
  if (inputs.length > EVENTS_MAX) {
    throw new Problem(ofStatus(413, `A request may hold ${EVENTS_MAX} events, not ${inputs.length}.`));
  }
  return { inputs, path };
}

async function answerWhenSettled(received: Promise<IntakeOutcome>, asked: Asked): Promise<void> {
  const answer = answerOf(await received, asked);
  void asked.reply.status(202).header('content-type', 'application/json; charset=utf-8').send(answer);
}
