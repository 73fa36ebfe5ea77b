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
import { rateHeaders } from '../../auth/limits/standing.js';
import { Intake, type IntakeOutcome, type Rejection } from '../intake.js';
import { answerPreflight } from './cross-origin.js';
import { ACCEPTED_SCHEMA, EVENTS_BODY_SCHEMA, EVENTS_EXAMPLES } from './native.openapi.js';
import { addressTooBusy, tooMany, unavailable } from './refusals.js';
import { optedOut, senderOf } from './sender.js';

const EVENTS_MAX = 1_000;

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
      'One event, an array, or {"events":[…]}; at most 1,000 events, 1 MiB, 4 MiB inflated. 202 means that the accepted events are durable.',
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
    const { inputs, path } = inputsOf(request.body);
    const received = this.intake.receive({
      wire: 'native',
      inputs,
      caller,
      server: hasScope(caller, 'ingest:server'),
      optedOut: optedOut(request),
      receivedAt: Date.now(),
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
  private holderOf({ headers, url }: FastifyRequest): Caller {
    if (hasKeyInUrl(url)) throw Problem.unauthorized(KEY_IN_URL);
    const key = bearerKey(headers);
    if (key === undefined) throw Problem.unauthorized('Send an API key as `Authorization: Bearer <key>`.');
    const caller = this.keys.find(key);
    if (caller === undefined) throw Problem.unauthorized('The key is unknown, was revoked or has expired.');
    requireScope(caller, 'ingest');
    return caller;
  }
}

interface Inputs {
  readonly inputs: readonly unknown[];
  /** Where an input stands in the body. */
  readonly path: (index: number) => string;
}

function inputsOf(body: unknown): Inputs {
  if (typeof body !== 'object' || body === null) {
    throw Problem.badRequest('Send one event, an array of events, or {"events": […]} as JSON.');
  }
  if (Array.isArray(body)) return counted(body, (index) => `[${index}]`);
  if (!Object.hasOwn(body, 'events')) return { inputs: [body], path: () => '' };
  const { events } = body as { events: unknown };
  if (!Array.isArray(events)) throw Problem.badRequest('`events` must be an array of events.');
  return counted(events, (index) => `events[${index}]`);
}

function counted(inputs: readonly unknown[], path: Inputs['path']): Inputs {
  if (inputs.length === 0) throw Problem.badRequest('There is no event in the request.');
  if (inputs.length > EVENTS_MAX) {
    throw new Problem(ofStatus(413, `A request may hold ${EVENTS_MAX} events, not ${inputs.length}.`));
  }
  return { inputs, path };
}

async function answerWhenSettled(
  received: Promise<IntakeOutcome>,
  { reply, path }: { readonly reply: FastifyReply; readonly path: Inputs['path'] },
): Promise<void> {
  const outcome = await received;
  const standing = outcome.outcome === 'unavailable' ? undefined : outcome.standing;
  if (standing !== undefined) void reply.headers(rateHeaders(standing));
  const answer = answerOf(outcome, path);
  void reply.status(202).header('content-type', 'application/json; charset=utf-8').send(answer);
}

/** @throws Problem where nothing could be accepted. */
function answerOf(outcome: IntakeOutcome, path: Inputs['path']): string {
  if (outcome.outcome === 'unavailable') throw unavailable(outcome.reason);
  if (outcome.outcome === 'held-off') throw addressTooBusy(outcome.standing);
  const { accepted, duplicates, dropped, rejected } = outcome;
  // What a site does not want was in order: its sender has nothing to mend, and no reason to send it again.
  const isInOrder = ({ reason }: Rejection) => reason === 'excluded';
  if (rejected.length > 0 && accepted + duplicates + dropped === 0 && !rejected.some(isInOrder)) {
    throw nothingAcceptable(rejected, path);
  }
  const droppedPart = dropped > 0 ? `,"dropped":${dropped}` : '';
  const rejectedPart = rejected.length > 0 ? JSON.stringify(rejected) : '[]';
  return `{"accepted":${accepted},"duplicates":${duplicates}${droppedPart},"rejected":${rejectedPart}}`;
}

function nothingAcceptable(rejected: readonly Rejection[], path: Inputs['path']): Problem {
  if (rejected.every(({ reason }) => reason === 'site_unknown')) {
    return Problem.notFound('There is no such site, or the key is not good for it.');
  }
  if (rejected.every(({ reason }) => reason === 'origin_not_allowed')) {
    return Problem.forbidden('The site allows events with this key from pages of its own hosts only.');
  }
  if (rejected.every(({ retryAfterSeconds }) => retryAfterSeconds !== undefined)) return tooMany(rejected);
  return Problem.badRequest(
    'No event could be accepted: see errors.',
    rejected.map(({ index, reason, detail }) => ({ path: path(index), message: detail, index, reason })),
  );
}
