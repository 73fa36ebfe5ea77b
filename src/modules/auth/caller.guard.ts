// Who may call an endpoint: whoever Callers admits with one of the scopes that the endpoint declares, or as one of
// those whom it is for. Sites are the handler's matter (access.ts).
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
import { type Admission, type CallersRequest, Callers } from './callers.js';
import type { SignedInPerson } from './people/tokens/access-tokens.js';

const ADMISSION = Symbol('admission');

/** One of them is enough. Without it, the guard refuses everybody. The document names them as `x-scopes`. */
export const NeedsScope = (...scopes: readonly Permission[]) =>
  applyDecorators(SetMetadata(ADMISSION, scopes), ApiExtension('x-scopes', scopes));

/** In place of scopes: `anybody` who shows a valid key or is signed in, or `people` only; `x-admits` in the document. */
export const Admits = (whom: 'anybody' | 'people') =>
  applyDecorators(SetMetadata(ADMISSION, whom), ApiExtension('x-admits', whom));

/** As whom somebody is signed in; undefined: they showed a key. */
export const SignedInAs = createParamDecorator(
  (_: unknown, context: ExecutionContext): SignedInPerson | undefined =>
    context.switchToHttp().getRequest<CallersRequest>().caller?.signedIn,
);

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
    const admission =
      this.#reflector.getAllAndOverride<Admission | undefined>(ADMISSION, [
        context.getHandler(),
        context.getClass(),
      ]) ?? [];
    await this.callers.admit(http.getRequest(), http.getResponse(), admission);
    return true;
  }
}
