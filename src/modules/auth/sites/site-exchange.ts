// What requests and answers about one site have in common: the site's name in the path, its revision
// as ETag and If-Match, and its place as Location once it is created.
import {
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { entityTag, expectedRevision } from '../entity-tag.js';
import type { Site } from './site.aggregate.js';
import { type SiteAnswer, siteAnswer } from './site.dto.js';

export interface SiteTarget {
  readonly idOrDomain: string;
  /** What the client says it has seen. */
  readonly expected: number | 'any';
}

export const Target = createParamDecorator((_: unknown, context: ExecutionContext): SiteTarget => {
  const request = context.switchToHttp().getRequest<FastifyRequest<{ Params: { site: string } }>>();
  return { idOrDomain: request.params.site, expected: expectedRevision(request.headers['if-match']) };
});

/** Turns the site that a handler returns into its answer. */
@Injectable()
export class SiteAnswerInterceptor implements NestInterceptor<Site, SiteAnswer> {
  intercept(context: ExecutionContext, next: CallHandler<Site>): Observable<SiteAnswer> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    return next.handle().pipe(
      map((site) => {
        void reply.header('etag', entityTag(site.revision));
        if (http.getRequest<FastifyRequest>().method === 'POST') {
          void reply.header('location', `/v1/sites/${site.id}`);
        }
        return siteAnswer(site);
      }),
    );
  }
}
