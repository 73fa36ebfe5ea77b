// The id under which a request appears in our log lines and in the client's. A client's own
// X-Request-Id is taken if it is short and harmless in a log; the answer always carries one.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const HARMLESS = /^[\w.:/+=-]{1,128}$/;

export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && HARMLESS.test(given) ? given : randomUUID();
}
