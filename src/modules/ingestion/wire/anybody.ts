// Who sends events without a key: image tags, and clients of other vendors that name a site only. Whose pages may tell
// of a site is the site's to say (`allowedOrigins`).
import type { Caller } from '../../auth/access.js';

/** What a page may, it may. */
export const ANYBODY: Caller = { id: 'anybody', merchant: null, site: null, scopes: new Set(['ingest']) };
