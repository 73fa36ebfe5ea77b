// What an image answers that only counts.
import type { VendorAnswer } from './vendor-format.js';

/** A transparent image of one point. */
export const PIXEL: VendorAnswer = {
  status: 200,
  headers: { 'content-type': 'image/gif' },
  body: Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'),
};
