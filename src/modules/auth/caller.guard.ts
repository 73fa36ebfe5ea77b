// Who may call an endpoint: whoever Callers admits with one of the scopes that the endpoint declares. Sites are
// the handler's matter (access.ts).
import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { Caller, Permission } from './access.js';
import { type CallersRequest, Callers } from './callers.js';

const SCOPES = Symbol('scopes');

/** One of them is enough. Without it, the guard refuses everybody. The document names them as `x-scopes`. */
export const NeedsScope = (...scopes: readonly Permission[]) =>
  applyDecorators(SetMetadata(SCOPES, scopes), ApiExtension('x-scopes', scopes));

/** Who sent the request, put there by Callers. */
export const Calling = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<CallersRequest>().caller,
);

@Injectable()
export class CallerGuard implements CanActivate {
  readonly #reflector = new Reflector();

  constructor(private readonly callers: Callers) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const scopes =
      this.#reflector.getAllAndOverride<readonly Permission[] | undefined>(SCOPES, [
        context.getHandler(),
        context.getClass(),
      ]) ?? [];
    await this.callers.admit(http.getRequest(), http.getResponse(), scopes);
    return true;
  }
}
