// Intake is called by pages of every origin, without credentials: the answers say so, those that
// fail before a handler runs (unreadable body, too large) too, or the page could not read why.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const PREFLIGHT_SECONDS = 86_400;

/** Call before the routes are registered. */
export function allowEveryOrigin(server: FastifyInstance): void {
  server.addHook('onRoute', (route) => {
    if (!route.config?.intake) return;
    route.onRequest = [...[route.onRequest ?? []].flat(), allow];
  });
}

function allow(_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.header('access-control-allow-origin', '*');
  done();
}

export function answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
  void reply
    .status(204)
    .header('access-control-allow-methods', 'GET, POST, OPTIONS')
    // With a wildcard, Authorization would still have to be named.
    .header('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*')
    .header('access-control-max-age', PREFLIGHT_SECONDS)
    .header('vary', 'access-control-request-headers')
    .send();
}
