// A request of another vendor's client, from reading to answering: whose it is, through the same intake as
// native events, and what became of it, said as the vendor says it. Failures are problems until the very end,
// where the route's form of errors puts them into the vendor's words.
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ofStatus } from '../../../../http/problem-details.js';
import { Problem } from '../../../../http/problem.js';
import { bearerKey, type Caller, hasScope, requireScope } from '../../../auth/access.js';
import { rateHeaders } from '../../../auth/limits/standing.js';
import { KeyDirectory } from '../../../auth/directories/key.directory.js';
import { Intake } from '../../intake.js';
import { ANYBODY } from '../anybody.js';
import { addressTooBusy, tooMany, unavailable } from '../refusals.js';
import { optedOut, senderOf } from '../sender.js';
import type { Wire } from '../wire.js';
import {
  type EventsRoute,
  type Settled,
  type TranslatedEvent,
  type Translation,
  UNCOUNTED,
  type VendorAnswer,
  type VendorRequest,
  type VendorRoute,
} from './vendor-format.js';

@Injectable()
export class VendorIntake {
  constructor(
    @Inject(Intake) private readonly intake: Intake,
    @Inject(KeyDirectory) private readonly keys: KeyDirectory,
  ) {}

  /** @throws Problem */
  async answer(wire: Wire, route: VendorRoute, exchange: Exchange): Promise<void> {
    const request = vendorRequest(exchange.request);
    if ('settings' in route) return send(exchange.reply, route.settings(request));
    const outcome = await this.receive(wire, route, { ...exchange, vendor: request });
    send(exchange.reply, route.answer(outcome, request));
  }

  private async receive(
    wire: Wire,
    route: EventsRoute,
    { request, reply, vendor }: Exchange & { readonly vendor: VendorRequest },
  ): Promise<Settled> {
    const translation = route.translate(vendor);
    const { events } = translation;
    if (events.length > route.eventsMax) {
      throw new Problem(ofStatus(413, `A request may hold ${route.eventsMax} events.`));
    }
    const caller = this.callerOf(vendor, translation);
    const server = caller !== ANYBODY && hasScope(caller, 'ingest:server');
    const inputs: (TranslatedEvent | null)[] = [];
    const places: number[] = [];
    events.forEach((event, place) => {
      if (event === UNCOUNTED) return;
      inputs.push(event && completed(event, { caller, server, vendor }));
      places.push(place);
    });
    const outcome = await this.intake.receive({
      ...{ wire, caller, server, inputs, receivedAt: vendor.receivedAt },
      uncounted: events.length - inputs.length,
      optedOut: optedOut(request),
      // Formats that tell when something was sent correct the times of its events themselves.
      clockOffsetMs: 0,
      sender: senderOf(request),
    });
    if (outcome.outcome === 'unavailable') throw unavailable(outcome.reason);
    if (outcome.standing !== undefined) void reply.headers(rateHeaders(outcome.standing));
    if (outcome.outcome === 'held-off') throw addressTooBusy(outcome.standing);
    const later = outcome.rejected.filter(({ retryAfterSeconds }) => retryAfterSeconds !== undefined);
    if (later.length > 0 && (route.repeats || later.length === inputs.length)) throw tooMany(later);
    const rejected = outcome.rejected.map((one) => ({ ...one, index: places[one.index]! }));
    return { ...outcome, rejected };
  }

  /** @throws Problem 401, 403 */
  private callerOf({ headers }: VendorRequest, { key }: Translation): Caller {
    const shown = key ?? basicUser(headers.authorization) ?? bearerKey(headers);
    if (shown === undefined) return ANYBODY;
    const caller = this.keys.find(shown);
    if (caller === undefined) throw Problem.unauthorized('The key is unknown, was revoked or has expired.');
    requireScope(caller, 'ingest');
    return caller;
  }
}

export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** With what the request says of all its events. */
function completed(
  event: TranslatedEvent,
  {
    caller,
    server,
    vendor,
  }: { readonly caller: Caller; readonly server: boolean; readonly vendor: VendorRequest },
): TranslatedEvent {
  // The key is good for several sites, and the client has no place to name one: the page's address does.
  const site = event.site ?? (caller.site === null ? hostOf(event.url) : undefined);
  const ip = event.ip ?? (server ? forwardedFor(vendor) : undefined);
  return { ...event, site, ip };
}

function vendorRequest(request: FastifyRequest): VendorRequest {
  return {
    receivedAt: Date.now(),
    parameters: request.params as Record<string, string>,
    query: firstValues(request.query as Record<string, string | string[]>),
    headers: request.headers,
    body: typeof request.body === 'string' ? request.body : '',
    host: request.host,
  };
}

function firstValues(query: Readonly<Record<string, string | readonly string[]>>): Record<string, string> {
  const first: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(query))
    first[name] = typeof value === 'string' ? value : value[0]!;
  return first;
}

const BASIC = /^Basic +([\w+/=-]+) *$/i;

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = BASIC.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  return Buffer.from(encoded, 'base64').toString('utf8').split(':', 1)[0];
}

/** A server says whom it speaks for as a proxy would. */
function forwardedFor({ headers }: VendorRequest): string | undefined {
  const first = String(headers['x-forwarded-for'] ?? '')
    .split(',', 1)[0]!
    .trim();
  return first === '' ? undefined : first;
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined;
}

function send(reply: FastifyReply, { status, headers, body }: VendorAnswer): void {
  void reply.status(status).header('cache-control', 'no-store');
  if (headers !== undefined) void reply.headers(headers);
  if (body === undefined) void reply.send();
  else if (Buffer.isBuffer(body)) void reply.send(body);
  else if (typeof body === 'string') {
    if (!reply.hasHeader('content-type')) void reply.header('content-type', 'text/plain; charset=utf-8');
    void reply.send(body);
  } else void reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
}
