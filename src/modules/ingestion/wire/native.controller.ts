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
import type { Sender } from '../draft.js';
import { Intake, type IntakeOutcome, type Rejection } from '../intake.js';
import type { UnavailableReason } from '../ingestion.telemetry.js';
import { clientHintsOf } from './client-hints.js';
import { answerPreflight } from './cross-origin.js';
import { ACCEPTED_SCHEMA, EVENTS_BODY_SCHEMA, EVENTS_EXAMPLES } from './native.openapi.js';

const EVENTS_MAX = 1_000;
const LANGUAGE_CHARACTERS_MAX = 35;

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
      'More events of the site arrive than it may send, or the quota of the month is used up. Try again after Retry-After.',
  })
  @ApiResponse({ status: 503, description: 'Nothing was acknowledged: send the same again.' })
  receive(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const caller = this.holderOf(request);
    const { inputs, path } = inputsOf(request.body);
    const received = this.intake.receive({
      inputs,
      caller,
      server: hasScope(caller, 'ingest:server'),
      optedOut: request.headers['sec-gpc'] === '1',
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
  const answer = answerOf(await received, path);
  void reply.status(202).header('content-type', 'application/json; charset=utf-8').send(answer);
}

function senderOf(request: FastifyRequest): Sender {
  const accepted = request.headers['accept-language'];
  return {
    address: request.ip,
    userAgent: request.headers['user-agent'],
    clientHints: clientHintsOf(request.headers),
    // The language it would like best is named first.
    language: accepted && /^[\w-]+/.exec(accepted)?.[0].slice(0, LANGUAGE_CHARACTERS_MAX),
    origin: request.headers.origin ?? request.headers.referer,
  };
}

/** @throws Problem where nothing could be accepted. */
function answerOf(outcome: IntakeOutcome, path: Inputs['path']): string {
  if (outcome.outcome === 'unavailable') throw unavailable(outcome.reason);
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

/** Until the first of them would be taken. */
function tooMany(rejected: readonly Rejection[]): Problem {
  const retryAfterSeconds = Math.min(...rejected.map((one) => one.retryAfterSeconds!));
  const isQuota = rejected.every(({ reason }) => reason === 'quota_exceeded');
  if (!isQuota) {
    const detail = `More events of this site arrive than it may send. Try again in ${retryAfterSeconds} s.`;
    return new Problem({ ...ofStatus(429, detail), retryAfterSeconds });
  }
  return new Problem({
    ...{ status: 429, type: 'quota-exceeded', title: "The month's quota is used up", retryAfterSeconds },
    detail: 'The merchant has sent as many events as it may in this month: ask the operator for more.',
  });
}

const UNAVAILABLE: Record<UnavailableReason, readonly [detail: string, retryAfterSeconds: number]> = {
  overloaded: ['More events arrive than can be stored. Send the same again later.', 2],
  salt_unavailable: ['Visitors cannot be told apart at the moment. Send the same again later.', 10],
  batch_too_large: ['The events could not be stored together. Send fewer at a time.', 2],
  log_full: ['The tracking log is full. Send the same again later.', 60],
  log_unavailable: ['The tracking log does not answer. Send the same again later.', 5],
};

const unavailable = (reason: UnavailableReason): Problem => Problem.unavailable(...UNAVAILABLE[reason]);
