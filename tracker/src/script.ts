// The script tag: its attributes are the options, and `window.tidemark` is what the page calls. What it called before the
// script was there waits in the queue of its stub, and is said first.
import { type Prepared, setOptions, type Tidemark } from './options.js';
import { begin, tidemark } from './tracker.js';

interface Loaded {
  isLoaded?: boolean;
  /** Of a stub: the calls. */
  readonly q?: readonly Parameters<typeof tidemark>[];
}

declare global {
  interface Window {
    tidemark?: Tidemark & Loaded;
  }
}

const { src, dataset } = document.currentScript as HTMLScriptElement;
const { isLoaded, q = [] } = window.tidemark ?? ({} as Loaded);

// A page with the tag twice counts once.
if (!isLoaded) {
  // oxlint-disable-next-line typescript/no-misused-spread -- attributes are what its own properties are
  setOptions({ host: new URL(src).origin, off: '', ...dataset } as unknown as Prepared);
  window.tidemark = Object.assign(tidemark as Tidemark, { isLoaded: true });
  q.forEach((call) => tidemark(...call));
  begin();
}
