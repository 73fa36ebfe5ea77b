// Carries a request with an Idempotency-Key out once: keeps a 2xx answer and gives it again to whoever
// sends the same again; what was refused may be tried anew. A process that dies between what it made and
// the kept answer leaves a claim, whose ids the next attempt draws again: docs/adr/0034.
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable, of } from 'rxjs';
import { problemOf } from '../../../http/problem-details.js';
import { Problem } from '../../../http/problem.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import type { Caller } from '../access.js';
import { AuthTelemetry } from '../auth.telemetry.js';
import { KeyPepper } from '../keys/key-pepper.js';
import { type IdSource, seededIds } from '../random-ids.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { type Claim, RepeatableRequests } from './repeatable-requests.js';
import { type KeptAnswer, openAnswer, sealAnswer } from './sealed-answer.js';

const KEPT_HEADERS = ['etag', 'location', 'retry-after', 'cache-control', 'preference-applied'] as const;
const RETRY_AFTER_SECONDS = 1;

export type RepeatableHttpRequest = FastifyRequest & {
  readonly caller?: Caller;
  ids?: IdSource;
};

/** What belongs to one request and its repetitions, and is stored nowhere as it is. */
interface Secrets {
  readonly name: Buffer;
  readonly request: Buffer;
  readonly sealingKey: Buffer;
  seed(salt: Buffer): Buffer;
}

@Injectable()
export class RepeatableInterceptor implements NestInterceptor {
  constructor(
    private readonly requests: RepeatableRequests,
    private readonly pepper: KeyPepper,
    private readonly telemetry: AuthTelemetry,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<RepeatableHttpRequest>();
    const reply = http.getResponse<FastifyReply>();
    const key = idempotencyKeyOf(request.headers['idempotency-key']);
    if (key === undefined) return next.handle();
    const secrets = this.#secretsOf(request, key);
    const claimed = await this.requests.claim(secrets);
    switch (claimed.outcome) {
      case 'answered':
        return of(repeat(reply, openAnswer(claimed.answer, secrets.sealingKey)));
      case 'other-request':
        throw keyReused();
      case 'under-way':
        throw underWay();
      case 'claimed': {
        request.ids = seededIds(secrets.seed(claimed.claim.salt));
        const carryOut = () => lastValueFrom(next.handle(), { defaultValue: undefined });
        return from(this.#carriedOut(carryOut, { claim: claimed.claim, reply, secrets }));
      }
    }
  }

  async #carriedOut(
    carryOut: () => Promise<unknown>,
    about: { readonly claim: Claim; readonly reply: FastifyReply; readonly secrets: Secrets },
  ): Promise<unknown> {
    const { claim, reply, secrets } = about;
    const body = await carryOut().catch(async (error: unknown) => {
      await this.#letGo(claim, problemOf(error).status);
      throw error;
    });
    failpoint('repeatable.before-answer');
    const answer = sealAnswer(
      { status: reply.statusCode, headers: keptHeaders(reply), body },
      secrets.sealingKey,
    );
    // It is done, so it is answered; whoever asks again is carried out again, and finds what was made.
    await this.requests.keep(claim, answer).catch((error: unknown) => this.telemetry.answerUnkept(error));
    return body;
  }

  async #letGo(claim: Claim, status: number): Promise<void> {
    const isUndone = claim.isFirst && status < 500;
    const letGo = isUndone ? this.requests.forget(claim) : this.requests.giveUp(claim);
    await letGo.catch((error: unknown) => this.telemetry.answerUnkept(error));
  }

  #secretsOf(request: RepeatableHttpRequest, key: string): Secrets {
    const { caller, method, url, routeOptions, body } = request;
    if (caller === undefined) throw new Error('@Repeatable() needs CallerGuard: a request without a caller.');
    const subject = [caller.merchant, caller.id, method, routeOptions.url, key];
    const derive = (purpose: string, ...more: readonly unknown[]) =>
      this.pepper.derive(JSON.stringify([`repeatable request: ${purpose}`, ...subject, ...more]));
    return {
      name: derive('name'),
      request: derive('request', url, body),
      sealingKey: derive('answer'),
      seed: (salt) => derive('ids', salt.toString('hex')),
    };
  }
}

function keptHeaders(reply: FastifyReply): KeptAnswer['headers'] {
  const given = KEPT_HEADERS.map((name) => [name, reply.getHeader(name)] as const);
  return Object.fromEntries(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function repeat(reply: FastifyReply, { status, headers, body }: KeptAnswer): unknown {
  void reply.status(status).headers({ ...headers, 'idempotency-replayed': 'true' });
  return body;
}

const keyReused = (): Problem =>
  new Problem({
    status: 422,
    type: 'idempotency-key-reused',
    title: 'The Idempotency-Key belongs to another request',
    detail: 'Send each request with a key of its own, and the same key only with exactly the same request.',
  });

const underWay = (): Problem =>
  new Problem({
    status: 409,
    type: 'request-under-way',
    title: 'The same request is under way',
    detail: 'Its answer will be here in a moment: send it again then, with the same Idempotency-Key.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
