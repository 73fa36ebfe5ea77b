// The HTTP side of the process: Fastify with every wait and size bounded, and every failure
// answered as problem+json, including those that happen before a request exists.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config/config.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { AllowedMethods } from './allowed-methods.js';
import { BODY_BYTES_MAX, readJsonBodies } from './body.js';
import { EarlyAnswers } from './early-answers.js';
import { HttpTelemetry } from './http.telemetry.js';
import { ofStatus, problemBody, problemOf } from './problem-details.js';
import { ProblemFilter, sendProblem } from './problem.filter.js';
import { requestIdOf } from './request-id.js';
import { sendSecurityHeaders } from './security-headers.js';

/** A request that has not arrived whole by then is answered 408. */
const REQUEST_TIMEOUT_MS = 9_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** How often the two are looked at: added to either, it must stay under ten seconds. */
const TIMEOUT_CHECK_INTERVAL_MS = 500;
/** Longer than the 60 s for which balancers usually keep an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
const PATH_PARAMETER_CHARACTERS_MAX = 300;

export function httpAdapter(config: Config): FastifyAdapter {
  return new FastifyAdapter({
    trustProxy: trustedHops(config.TRUST_PROXY),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    // Some vendors' clients write a slash at the end.
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARACTERS_MAX, ignoreTrailingSlash: true },
    genReqId: requestIdOf,
    requestIdHeader: false,
    logger: false,
    // While stopping, what still arrives on open connections is served, and the connection closed.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Failures of the router itself (broken percent-encoding, over-long parameter) pass no filter.
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, problemOf(error)),
    clientErrorHandler: refuseUnreadable,
  });
}

/** A number of hops is a rule about the distance from us, as Fastify no longer takes a number. */
function trustedHops(trusted: Config['TRUST_PROXY']) {
  if (typeof trusted === 'number') return (_address: string, distance: number) => distance < trusted;
  return trusted === false ? false : [...trusted];
}

/** Everything between Fastify and the controllers. Call before `init`. */
export function setUpHttp(app: NestFastifyApplication, telemetry: Telemetry): void {
  const server = serverOf(app);
  const allowedMethods = new AllowedMethods();
  allowedMethods.follow(server);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  const httpTelemetry = new HttpTelemetry(telemetry);
  httpTelemetry.follow(server);
  readJsonBodies(server);
  const earlyAnswers = new EarlyAnswers(httpTelemetry);
  server.decorate('earlyAnswers', earlyAnswers);
  earlyAnswers.follow(server);
  sendSecurityHeaders(server);
  app.useGlobalFilters(new ProblemFilter(telemetry, allowedMethods));
}

/** Stops accepting and lets every request under way be answered; after `graceMs`, hangs up on the rest. */
export async function closeHttp(app: INestApplication, { graceMs = 5_000 } = {}): Promise<void> {
  const server = serverOf(app as NestFastifyApplication);
  const hangUp = setTimeout(() => server.server.closeAllConnections(), graceMs);
  await server.close();
  clearTimeout(hangUp);
}

function serverOf(app: NestFastifyApplication): FastifyInstance {
  return app.getHttpAdapter().getInstance();
}

/** What could not be read as a request: bytes that are not HTTP, headers too large or too slow. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const body = JSON.stringify(problemBody(ofStatus(status)));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy(error);
}
