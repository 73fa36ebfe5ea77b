// What an image answers that only counts.

export const GIF_TYPE = 'image/gif';

/** One transparent point, 43 bytes. */
export const TRANSPARENT_GIF = Buffer.from(
  'R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==',
  'base64',
);
