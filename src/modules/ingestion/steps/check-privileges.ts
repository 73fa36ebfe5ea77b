// A key that may be public in a page must not speak for other visitors.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

export const checkPrivileges =
  (): Step<Draft> =>
  ({ request, input }) => {
    if (request.server) return NEXT;
    const field =
      input.visitorId !== undefined
        ? 'visitorId'
        : input.userId !== undefined
          ? 'userId'
          : input.ip !== undefined
            ? 'ip'
            : input.userAgent !== undefined
              ? 'userAgent'
              : input.previousVisitorId !== undefined
                ? 'previousVisitorId'
                : undefined;
    return field === undefined
      ? NEXT
      : rejected('not_allowed', `${field} needs a key of scope ingest:server`);
  };
