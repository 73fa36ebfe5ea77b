// How a resource with a revision goes over HTTP: what a client has seen comes as If-Match, what it is
// shown goes out with its ETag, and with its place once it is created.
import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { entityTag, expectedRevision } from './entity-tag.js';

export interface Found {
  readonly path: string;
  readonly revision: number;
  readonly answer: object;
}

/** What the client says it has seen. */
export const Expected = createParamDecorator((_: unknown, context: ExecutionContext) =>
  expectedRevision(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** Turns what a handler found into its answer. */
@Injectable()
export class FoundInterceptor implements NestInterceptor<Found, object> {
  intercept(context: ExecutionContext, next: CallHandler<Found>): Observable<object> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(
      map(({ path, revision, answer }) => {
        void reply.header('etag', entityTag(revision));
        if (http.getRequest<FastifyRequest>().method === 'POST') void reply.header('location', path);
        return answer;
      }),
    );
  }
}
