// Made by scripts/fingerprints.mjs: what each definition meant when a version was last built by it. A change
// of meaning is a new definition, never another fingerprint for an old one.
export const FINGERPRINTS: Readonly<Record<number, string>> = {
  1: '6b946d0de3d20822',
};
