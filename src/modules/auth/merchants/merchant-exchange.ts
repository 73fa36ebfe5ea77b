// What the endpoints about one merchant have in common: the revision of its stream as ETag and If-Match, and how
// both are documented. Members and invitations are part of the merchant: a change of one changes its revision.
import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { ApiHeader, ApiParam } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { entityTag, expectedRevision } from '../entity-tag.js';

/** What the client says it has seen. */
export const Expected = createParamDecorator((_: unknown, context: ExecutionContext) =>
  expectedRevision(context.switchToHttp().getRequest<FastifyRequest>().headers['if-match']),
);

/** An answer, and the revision of the merchant that it is of. */
export interface Revised<Answer> {
  readonly revision: number;
  readonly answer: Answer;
}

@Injectable()
export class RevisionInterceptor implements NestInterceptor<Revised<object>, object> {
  intercept(context: ExecutionContext, next: CallHandler<Revised<object>>): Observable<object> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map(({ revision, answer }) => {
        void reply.header('etag', entityTag(revision));
        return answer;
      }),
    );
  }
}

export const ApiIfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The ETag of the merchant as last read.',
  });

export const ETAG = {
  ETag: {
    description: "The merchant's revision, for If-Match.",
    schema: { type: 'string', example: '"0"' },
  },
} as const;

export const ApiPerson = () =>
  applyDecorators(
    ApiParam({ name: 'person', description: "The person's id, as listed.", example: 'p7Gk2mQx9RtP' }),
    ApiIfMatch(),
  );
