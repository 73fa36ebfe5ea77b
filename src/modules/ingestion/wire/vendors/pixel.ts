// The image that other vendors' clients ask for.
import { GIF_TYPE, TRANSPARENT_GIF } from '../transparent-gif.js';
import type { VendorAnswer } from './vendor-format.js';

export const PIXEL: VendorAnswer = {
  status: 200,
  headers: { 'content-type': GIF_TYPE },
  body: TRANSPARENT_GIF,
};
