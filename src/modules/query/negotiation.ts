// What a client's headers ask of an answer: nothing if it has it already, CSV if it prefers that.

/** Weak comparison (RFC 9110 §13.1.2). */
export function isKnown(etag: string, ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag));
}

/** Whether CSV is named with a weight at least as high as JSON's. */
export const prefersCsv = (accept: string | undefined): boolean => prefers('text/csv', accept);

/** Whether events are. */
export const prefersEventStream = (accept: string | undefined): boolean =>
  prefers('text/event-stream', accept);

function prefers(type: string, accept: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [named, ...parameters] = part.split(';').map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith('q='))?.slice(2);
    weights.set(named!, quality === undefined ? 1 : Number(quality));
  }
  const weight = weights.get(type) ?? 0;
  return weight > 0 && weight >= (weights.get('application/json') ?? 0);
}
