// Who may call an endpoint: whoever shows a valid key with one of the scopes it declares. Sites are
// the handler's matter (access.ts). Refuses everybody while the directories are so old that a
// revoked key could pass, and whoever asks too often.
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
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { bearerKey, hasScope, type Caller, type Permission, requireScope } from './access.js';
import { AuthTelemetry } from './auth.telemetry.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { KeyDirectory } from './directories/key.directory.js';
import { hasKeyInUrl, KEY_IN_URL } from './keys/key-in-url.js';
import { RequestLimits } from './limits/request-limits.js';

const SCOPES = Symbol('scopes');
const RETRY_AFTER_SECONDS = 5;

type AuthorizedRequest = FastifyRequest & { caller?: Caller };

/** One of them is enough. Without it, the guard refuses everybody. The document names them as `x-scopes`. */
export const NeedsScope = (...scopes: readonly Permission[]) =>
  applyDecorators(SetMetadata(SCOPES, scopes), ApiExtension('x-scopes', scopes));

/** Who sent the request, put there by CallerGuard. */
export const Calling = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<AuthorizedRequest>().caller,
);

@Injectable()
export class CallerGuard implements CanActivate {
  readonly #reflector = new Reflector();

  constructor(
    private readonly keys: KeyDirectory,
    private readonly directories: DirectoryFollower,
    private readonly telemetry: AuthTelemetry,
    private readonly limits: RequestLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthorizedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (this.directories.isStale) {
      this.telemetry.refused('directories-stale');
      throw Problem.unavailable('Keys cannot be checked at the moment.', RETRY_AFTER_SECONDS);
    }
    if (hasKeyInUrl(request.url)) {
      this.telemetry.refused('key-in-url');
      await this.limits.countRefusal(request.ip, reply);
      throw Problem.unauthorized(KEY_IN_URL);
    }
    const key = bearerKey(request.headers);
    const caller = key === undefined ? undefined : this.keys.find(key);
    if (!caller) {
      this.telemetry.refused(key === undefined ? 'no-key' : 'unknown-key');
      await this.limits.countRefusal(request.ip, reply);
      throw Problem.unauthorized('Send a valid key as Authorization: Bearer <key>.');
    }
    await this.limits.countRequest(caller, reply);
    const scopes =
      this.#reflector.getAllAndOverride<readonly Permission[] | undefined>(SCOPES, [
        context.getHandler(),
        context.getClass(),
      ]) ?? [];
    if (!scopes.some((scope) => hasScope(caller, scope))) this.telemetry.refused('scope-missing');
    requireScope(caller, ...scopes);
    request.caller = caller;
    return true;
  }
}
