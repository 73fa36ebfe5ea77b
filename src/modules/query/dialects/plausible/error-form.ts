// What Plausible's clients read when a request fails: {"error": "…"}. A key that may not read and a
// site that it does not reach are told apart by nothing; what would cost too much is a 400, as these
// clients know no 422.
import type { ErrorForm } from '../../../../http/route-kind.js';

const NO_ACCESS = 'The API key is not valid, or it may not read the statistics of this site_id.';

/** Status of a problem → the one these clients know. */
const STATUSES: Readonly<Record<number, number>> = { 403: 401, 404: 401, 422: 400 };

export const plausibleErrors: ErrorForm = ({ status, title, detail }) => {
  const told = STATUSES[status] ?? status;
  return { status: told, body: { error: told === 401 ? NO_ACCESS : (detail ?? title) } };
};
