// Who did what an event tells, and from where: the metadata of every event in the event store. Put together once for
// a request (callers.ts, whences.ts) and carried by the caller to the commands. No address is in it, and nothing that
// tells one installation of a client from another (ADR 35).

/** `link`: came by a shared link. `system`: nobody; a part of the program. */
export const CALLER_KINDS = ['account', 'key', 'operator', 'link', 'system'] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/** From where a request came. */
export type Whence = {
  /** Its id: X-Request-Id of the answer, and in the log. */
  readonly request: string;
  /** ISO 3166; absent: unknown, as of private addresses. */
  readonly country?: string;
  /** Kind of program, such as `Firefox on Windows`; absent: it did not say. */
  readonly client?: string;
};

export type Origin = {
  /** Id of the key, `operator`, `person-{id}`, `link-{id}`, or which part of the program. */
  readonly by: string;
  readonly kind: CallerKind;
} & Partial<Whence>;

/** Of what no request asked for. */
export const bySystem = (part: string): Origin => ({ by: part, kind: 'system' });
