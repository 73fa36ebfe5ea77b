// The package for bundlers: the same tracker, started by a call in place of a script tag.
import { type Options, setOptions, type Tidemark } from './options.js';
import { begin, tidemark } from './tracker.js';

export type { Consent, Details, Options, Tidemark } from './options.js';

let isStarted = false;

/** The second call on a page, and one where there is no page, start nothing. */
export function init(options: Options): Tidemark {
  if (typeof window === 'undefined') return () => {};
  if (!isStarted) {
    isStarted = true;
    setOptions({ off: '', ...options });
    begin();
  }
  return tidemark;
}
