// What browsers are told about our own pages and answers; helmet's list, said once per process.
// Not by @fastify/helmet: its asynchronous hook also runs for routes that skip it, and made every
// intake request survive the young generation, 20 µs of garbage collection each. Intake routes
// (other sites' pages call them) say only nosniff; routes whose answers are data at the speed of memory, which
// no browser draws, what still matters then. Nothing here lets another origin read the API.
import type { FastifyInstance } from 'fastify';

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  // Swagger UI draws with inline styles and data: images.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
} as const;

/** Of answers that are no page: what a browser does with the headers left out, it does to documents only. */
export const DATA_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'strict-transport-security': PAGE_HEADERS['strict-transport-security'],
  'x-content-type-options': 'nosniff',
} as const;

/** Names and values in turn, as node:http writes them with the least work. */
export const flat = (headers: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(headers).flat();

export function sendSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { intake, earlyAnswer } = request.routeOptions.config;
    if (intake) reply.header('x-content-type-options', 'nosniff');
    else reply.headers(earlyAnswer === undefined ? PAGE_HEADERS : DATA_HEADERS);
    done();
  });
}
