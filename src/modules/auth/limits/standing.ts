// How a client stands with a limit on requests or events, and how its answers say so: RateLimit-*, as in the IETF's drafts.

export interface Standing {
  /** As many are taken at once, and in every window from then on. */
  readonly max: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  readonly fullInSeconds: number;
  /** 0: there are some left. */
  readonly waitSeconds: number;
}

/** Of two limits the one that is nearer. */
export function nearerOf(a: Standing | undefined, b: Standing | undefined): Standing | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.remaining < a.remaining ? b : a;
}

export const rateHeaders = (limit: Omit<Standing, 'waitSeconds'>) => ({
  'ratelimit-policy': `${limit.max};w=${limit.windowSeconds}`,
  'ratelimit-limit': String(limit.max),
  'ratelimit-remaining': String(limit.remaining),
  'ratelimit-reset': String(limit.fullInSeconds),
});
