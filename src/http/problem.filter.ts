// The last stop of every request that fails, wherever it failed: answers application/problem+json, or
// what the route's dialect has in its place, with Retry-After where trying again helps: with every 429
// and 503, whoever made it. What nobody expected is logged once, here.
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { AllowedMethods } from './allowed-methods.js';
import { ofStatus, problemBody, problemOf } from './problem-details.js';
import type { ProblemOptions } from './problem.js';

export function sendProblem(reply: FastifyReply, problem: ProblemOptions): void {
  if (reply.sent) return;
  const form = reply.request.routeOptions.config?.errorForm;
  const { status, body, contentType } = form
    ? { contentType: 'application/json', ...form(problem) }
    : standard(problem);
  const { retryAfterSeconds = ofStatus(problem.status).retryAfterSeconds } = problem;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  if (problem.etag !== undefined) reply.header('etag', problem.etag);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  // Some vendors' clients are told nothing.
  if (status === 204) return void reply.status(status).send();
  void reply
    .status(status)
    .header('content-type', `${contentType}; charset=utf-8`)
    .header('cache-control', 'no-store')
    .send(contentType === 'text/plain' ? String(body) : JSON.stringify(body));
}

const standard = (problem: ProblemOptions) => ({
  status: problem.status,
  body: problemBody(problem),
  contentType: 'application/problem+json',
});

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly telemetry: Telemetry,
    private readonly allowedMethods: AllowedMethods,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const problem = this.describe(error, request, reply);
    if (problem.status >= 500) this.report(error, problem, request);
    sendProblem(reply, problem);
  }

  private describe(error: unknown, request: FastifyRequest, reply: FastifyReply): ProblemOptions {
    if (!request.is404) return problemOf(error);
    const path = request.url.split('?', 1)[0]!;
    const methods = this.allowedMethods.of(path);
    if (methods.length === 0) return ofStatus(404, 'There is nothing at this path.');
    reply.header('allow', methods.join(', '));
    return ofStatus(405, `Use ${methods.join(' or ')}.`);
  }

  private report(error: unknown, problem: ProblemOptions, request: FastifyRequest): void {
    const about = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status: problem.status,
    };
    if (problem.status === 500) this.telemetry.log.error({ ...about, err: error }, 'request failed');
    else this.telemetry.log.debug({ ...about, reason: (error as Error).message }, 'request refused');
  }
}
