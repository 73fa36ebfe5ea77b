// What Google's clients read when a request fails: {"error": {"code", "message", "status"}}. What would
// cost too much is a bad request to them: they know no 422, and would try a 429 again.
import type { ErrorForm } from '../../../../http/route-kind.js';

/** HTTP status → Google's; other 4xx are INVALID_ARGUMENT, other 5xx INTERNAL. */
const STATUSES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

export const googleErrors: ErrorForm = ({ status, title, detail }) => {
  const code = status === 422 ? 400 : status;
  const name = STATUSES[code] ?? (code < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
  return { status: code, body: { error: { code, message: detail ?? title, status: name } } };
};
