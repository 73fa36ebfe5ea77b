// Made by scripts/fingerprints.mjs: what each definition meant when a version was last built by it. A change
// of meaning is a new definition, never another fingerprint for an old one.
export const FINGERPRINTS: Readonly<Record<number, string>> = {
  1: '08e22a9ad2536a5a',
  2: '173e82fb18f77e08',
};
