// What the tracker asks of the browser, in the fewest bytes; and what TypeScript does not know of browsers yet.
declare global {
  interface Navigator {
    readonly globalPrivacyControl?: boolean;
  }
  interface Document {
    readonly prerendering?: boolean;
  }
  /** Said by the build: false leaves out what the small script does without. */
  const FULL: boolean;
}

/** Captured: a page that stops its events on their way up is heard all the same. */
export function listen(type: string, listener: (event: never) => void): void {
  addEventListener(type, listener as () => void, true);
}

/** Storage may be full, or forbidden: then as if there were none. */
export function withStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {}
}
