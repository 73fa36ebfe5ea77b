// Which version of a projection answers queries. Its table is `{projection}_v{version}`.
const SERVING: ReadonlyMap<string, number> = new Map([
  ['sessions', 1],
  ['traffic', 1],
]);

export type ServedProjection = 'sessions' | 'traffic';

/** @throws Error when no version serves: a mistake in the caller */
export function servingVersion(projection: ServedProjection): number {
  const version = SERVING.get(projection);
  if (version === undefined) throw new Error(`No version of ${projection} is serving`);
  return version;
}
