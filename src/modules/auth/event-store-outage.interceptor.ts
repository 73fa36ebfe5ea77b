// Answers 503 with Retry-After when a command or read could not reach the event store.
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { catchError, type Observable, throwError } from 'rxjs';
import { EventStoreUnavailableError } from '../../event-store/event-store-unavailable.error.js';
import { Problem } from '../../http/problem.js';

const RETRY_AFTER_SECONDS = 2;

@Injectable()
export class EventStoreOutageInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const isRead = context.switchToHttp().getRequest<FastifyRequest>().method === 'GET';
    return next
      .handle()
      .pipe(
        catchError((error: unknown) =>
          throwError(() =>
            error instanceof EventStoreUnavailableError
              ? Problem.unavailable(
                  isRead
                    ? 'The event store does not answer at the moment.'
                    : 'The change may or may not have been stored: look before trying again.',
                  RETRY_AFTER_SECONDS,
                )
              : error,
          ),
        ),
      );
  }
}
