// For a POST that creates something: `@Repeatable()` lets clients send it again under one Idempotency-Key,
// documents the header, and stands before every other interceptor of the method, whatever the order in
// which they are written. What the handler creates takes its ids from `@Ids()`, and a handler that finds
// its id taken answers with what is there.
import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  UseInterceptors,
} from '@nestjs/common';
import { INTERCEPTORS_METADATA } from '@nestjs/common/constants.js';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { CHANCE, type IdSource } from '../random-ids.js';
import { type RepeatableHttpRequest, RepeatableInterceptor } from './repeatable.interceptor.js';
import { KEPT_HOURS } from './repeatable-requests.js';

/** Where the ids come from of what the request creates. */
export const Ids = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdSource =>
    context.switchToHttp().getRequest<RepeatableHttpRequest>().ids ?? CHANCE,
);

export const Repeatable = () =>
  applyDecorators(
    outermost(UseInterceptors(RepeatableInterceptor)),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description:
        `A name that the client gives this one request, such as a UUID. Sent again with the same key within ${KEPT_HOURS} hours, ` +
        'the request is not carried out again: it gets the same answer, with `Idempotency-Replayed: true`. ' +
        'With the same key, another request gets 422, and one whose twin is under way 409 with Retry-After.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
      example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
    }),
    ApiResponse({ status: 422, description: 'The Idempotency-Key belongs to another request.' }),
  );

function outermost(decorate: MethodDecorator): MethodDecorator {
  return (target, property, descriptor) => {
    const method = descriptor.value as object;
    const inner: readonly unknown[] = Reflect.getMetadata(INTERCEPTORS_METADATA, method) ?? [];
    Reflect.deleteMetadata(INTERCEPTORS_METADATA, method);
    decorate(target, property, descriptor);
    const outer: readonly unknown[] = Reflect.getMetadata(INTERCEPTORS_METADATA, method);
    Reflect.defineMetadata(INTERCEPTORS_METADATA, [...outer, ...inner], method);
  };
}
