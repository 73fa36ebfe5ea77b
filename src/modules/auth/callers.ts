// Who sends a request: whoever shows a valid key, is signed in, or came by a shared link. Refuses everybody while the directories are so old that a
// revoked key could pass, and whoever asks too often. Endpoints ask through CallerGuard.
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { bearerKey, type Caller, hasScope, type Permission, requireScope } from './access.js';
import { AuthTelemetry } from './auth.telemetry.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { KeyDirectory } from './directories/key.directory.js';
import { hasKeyInUrl, KEY_IN_URL } from './keys/key-in-url.js';
import type { Admission as Token } from './limits/rate-limits.js';
import { RequestLimits } from './limits/request-limits.js';
import { SignedInCallers } from './people/signed-in-callers.js';
import { LinkSessions } from './shared-links/link-sessions.js';
import { Whences } from './whences.js';

const RETRY_AFTER_SECONDS = 5;

export type CallersRequest = FastifyRequest & {
  /** Whose it is, once it is counted. */
  caller?: Caller;
};

/** One of these scopes, `anybody` who shows a valid key or is signed in, or `people` only. */
export type Admission = readonly Permission[] | 'anybody' | 'people';

/** A request that was counted before it was routed. */
interface Counted {
  readonly caller: Caller;
  readonly token: Token;
}

@Injectable()
export class Callers {
  readonly #counted = new WeakMap<IncomingMessage, Counted>();

  constructor(
    private readonly keys: KeyDirectory,
    private readonly directories: DirectoryFollower,
    private readonly telemetry: AuthTelemetry,
    private readonly limits: RequestLimits,
    private readonly signedInCallers: SignedInCallers,
    private readonly linkSessions: LinkSessions,
    private readonly whences: Whences,
  ) {}

  /** @throws Problem 401, 403, 429, or 503 while keys cannot be checked */
  async admit(request: CallersRequest, reply: FastifyReply, admission: Admission): Promise<void> {
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
      (key === undefined ? undefined : (this.keys.find(key) ?? (await this.linkSessions.find(key)))) ??
      (await this.signedInCallers.find(request, key));
    if (!caller) {
      this.telemetry.refused(key === undefined ? 'no-key' : 'unknown-key');
      await this.limits.countRefusal(request.ip, reply);
      throw Problem.unauthorized('Send a valid key as Authorization: Bearer <key>, or sign in.');
    }
    await this.#count(caller, request, reply);
    this.#require(admission, caller);
    request.caller = { ...caller, whence: () => this.whences.of(request) };
  }

  /** By a key only. Undefined: somebody whom `admit` would refuse, whether it has counted the request or not. */
  find({ headers, url }: IncomingMessage, scope: Permission): Caller | undefined {
    if (this.directories.isStale || hasKeyInUrl(url!)) return undefined;
    const key = bearerKey(headers);
    const caller = key === undefined ? undefined : this.keys.find(key);
    return caller !== undefined && hasScope(caller, scope) ? caller : undefined;
  }

  /** The token for one request of a key that `find` found, if there is one; at once if nobody has to be asked. */
  take(caller: Caller): Token | Promise<Token> {
    return this.limits.take(caller);
  }

  /** What the answer says of the caller's limit: names and values in turn. */
  headersOf(token: Token): readonly string[] {
    return this.limits.headersOf(token);
  }

  /** `admit` is not to count this request again, which has its token, or is to be refused for there was none. */
  counted(request: IncomingMessage, counted: Counted): void {
    this.#counted.set(request, counted);
  }

  /**
   * Once.
   * @throws Problem 429
   */
  #count(caller: Caller, request: CallersRequest, reply: FastifyReply): void | Promise<void> {
    if (request.caller === caller) return;
    request.caller = caller;
    const counted = this.#counted.get(request.raw);
    if (counted?.caller.id === caller.id) return this.limits.answer(reply, counted.token);
    return this.limits.countRequest(caller, request, reply);
  }

  /** @throws Problem 403 */
  #require(admission: Admission, caller: Caller): void {
    if (admission === 'anybody') {
      if (caller.viaLink === undefined) return;
      throw Problem.forbidden('A shared link shows the numbers of a site, and nothing else.');
    }
    if (admission === 'people') {
      if (caller.signedIn !== undefined) return;
      throw Problem.forbidden('This is for people: sign in. A key has no account.');
    }
    if (!admission.some((scope) => hasScope(caller, scope))) this.telemetry.refused('scope-missing');
    requireScope(caller, ...admission);
  }
}
