// Who may call an endpoint: whoever shows a valid key with one of the scopes it declares, or is signed in and may
// as much. Sites are the handler's matter (access.ts). Refuses everybody while the directories are so old that a
// revoked key could pass, and whoever asks too often.
import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { bearerKey, hasScope, type Caller, type Permission, requireScope } from './access.js';
import { AuthTelemetry } from './auth.telemetry.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { KeyDirectory } from './directories/key.directory.js';
import { hasKeyInUrl, KEY_IN_URL } from './keys/key-in-url.js';
import { RequestLimits } from './limits/request-limits.js';
import { SignedInCallers } from './people/signed-in-callers.js';
import type { SignedInPerson } from './people/tokens/access-tokens.js';

const SCOPES = Symbol('scopes');
const ADMISSION = Symbol('admission');
const RETRY_AFTER_SECONDS = 5;

type AuthorizedRequest = FastifyRequest & { caller?: Caller; signedIn?: SignedInPerson };

/** One of them is enough. Without it, the guard refuses everybody. */
export const NeedsScope = (...scopes: readonly Permission[]) => SetMetadata(SCOPES, scopes);

/** In place of scopes: `anybody` who shows a valid key or is signed in, or `people` only. */
export const Admits = (whom: 'anybody' | 'people') => SetMetadata(ADMISSION, whom);

/** As whom somebody is signed in; undefined: they showed a key. */
export const SignedInAs = createParamDecorator(
  (_: unknown, context: ExecutionContext): SignedInPerson | undefined =>
    context.switchToHttp().getRequest<AuthorizedRequest>().signedIn,
);

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
    private readonly signedInCallers: SignedInCallers,
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
    const caller =
      (key === undefined ? undefined : this.keys.find(key)) ?? (await this.#signedIn(request, key));
    if (!caller) {
      this.telemetry.refused(key === undefined ? 'no-key' : 'unknown-key');
      await this.limits.countRefusal(request.ip, reply);
      throw Problem.unauthorized('Send a valid key as Authorization: Bearer <key>, or sign in.');
    }
    await this.limits.countRequest(caller, reply);
    this.#requireAdmission(context, caller, request.signedIn);
    request.caller = caller;
    return true;
  }

  async #signedIn(request: AuthorizedRequest, bearer: string | undefined): Promise<Caller | undefined> {
    const found = await this.signedInCallers.find(request, bearer);
    if (found) request.signedIn = found.signedIn;
    return found?.caller;
  }

  /** @throws Problem 403 */
  #requireAdmission(context: ExecutionContext, caller: Caller, signedIn: SignedInPerson | undefined): void {
    const places = [context.getHandler(), context.getClass()];
    const admits = this.#reflector.getAllAndOverride<'anybody' | 'people' | undefined>(ADMISSION, places);
    if (admits === 'anybody') return;
    if (admits === 'people') {
      if (signedIn !== undefined) return;
      throw Problem.forbidden('This is for people: sign in. A key has no account.');
    }
    const scopes = this.#reflector.getAllAndOverride<readonly Permission[] | undefined>(SCOPES, places) ?? [];
    if (!scopes.some((scope) => hasScope(caller, scope))) this.telemetry.refused('scope-missing');
    requireScope(caller, ...scopes);
  }
}
