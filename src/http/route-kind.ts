// What a controller tells the HTTP layer about a route.
import { RouteConfig } from '@nestjs/platform-fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by `IntakeRoute`. */
    intake?: boolean;
  }
}

/**
 * A route that browsers of other origins call: a text/plain body is read as JSON (sendBeacon and
 * fetch without preflight send that), and the headers that protect pages are left out.
 */
export const IntakeRoute = () => RouteConfig({ intake: true });
