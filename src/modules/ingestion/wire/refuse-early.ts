// Refuses a request of which no event would be taken, as far as its key alone says so, before its body is read: of a
// key of a site that is held off, or of a merchant whose quota is used up. A flood costs little then, and its neighbours
// nothing. Whatever else is to be said about a request is left to its handler.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../../../http/problem.filter.js';
import type { ProblemOptions } from '../../../http/problem.js';
import { bearerKey, type Caller, hasScope } from '../../auth/access.js';
import { hasKeyInUrl } from '../../auth/keys/key-in-url.js';
import { rateHeaders, type Standing } from '../../auth/limits/standing.js';
import { quotaUsedUp, siteTooBusy } from './refusals.js';

export interface Door {
  readonly callerOf: (key: string) => Caller | undefined;
  /** How the site stands with its rate, as far as that is known without taking anything. */
  readonly siteStanding: (site: string, nowMs: number) => Standing | undefined;
  /** Of the merchant's quota. */
  readonly quotaWaitSeconds: (merchant: string, nowMs: number) => number;
  readonly onRefused: (reason: 'rate_limited' | 'quota_exceeded') => void;
}

/** Call before the routes are registered. */
export function refuseEarly(server: FastifyInstance, door: Door): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const refusal = refusalOf(request, door);
    if (refusal === undefined) return done();
    if (refusal.standing !== undefined) void reply.headers(rateHeaders(refusal.standing));
    sendProblem(reply, refusal.problem);
  };
  server.addHook('onRoute', (route) => {
    if (!route.config?.intake || ![route.method].flat().includes('POST')) return;
    route.onRequest = [...[route.onRequest ?? []].flat(), refuse];
  });
}

interface Refusal {
  readonly problem: ProblemOptions;
  readonly standing: Standing | undefined;
}

function refusalOf({ headers, url }: FastifyRequest, door: Door): Refusal | undefined {
  const key = bearerKey(headers);
  const caller = key === undefined || hasKeyInUrl(url) ? undefined : door.callerOf(key);
  if (caller === undefined || !hasScope(caller, 'ingest')) return undefined;
  const { site, merchant } = caller;
  const nowMs = Date.now();
  const standing = site === null ? undefined : door.siteStanding(site, nowMs);
  if (standing !== undefined && standing.waitSeconds > 0) {
    door.onRefused('rate_limited');
    return { problem: siteTooBusy(standing.waitSeconds), standing };
  }
  const waitSeconds = merchant === null ? 0 : door.quotaWaitSeconds(merchant, nowMs);
  if (waitSeconds === 0) return undefined;
  door.onRefused('quota_exceeded');
  return { problem: quotaUsedUp(waitSeconds), standing };
}
