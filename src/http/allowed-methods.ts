// Which methods a path takes, so that the wrong one is answered 405 with Allow and not 404.
// Filled from the routes as they are registered; asked only when no route matched.
import type { FastifyInstance } from 'fastify';

export class AllowedMethods {
  private readonly routes: { readonly pattern: RegExp; readonly method: string }[] = [];

  /** Must be called before the routes are registered. */
  follow(server: FastifyInstance): void {
    server.addHook('onRoute', ({ url, method }) => {
      const pattern = patternOf(url);
      for (const name of [method].flat()) this.routes.push({ pattern, method: name });
    });
  }

  /** Sorted; empty: nothing is at this path. */
  of(path: string): readonly string[] {
    const methods = this.routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return [...new Set(methods)].toSorted();
  }
}

/** A route's path as an expression: `:name` is one segment, `*` the rest. */
export function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/:[^/]+/g, '[^/]+')
    .replace(/\*/g, '.*');
  return new RegExp(`^${source}$`);
}
