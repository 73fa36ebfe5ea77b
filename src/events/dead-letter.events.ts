// What operators decided about events that the projector had to pass over. Stream `dead-letter-{id}`.
// A projector carries it out; nothing of the event itself is here, because this store never forgets.
export type DeadLetterIdentity = {
  readonly letter: string;
  /** ISO 8601 with microseconds. A letter's id names a place in the log and may come again; both together do not. */
  readonly failedAt: string;
};

export type DeadLetterEvent =
  | { readonly type: 'DeadLetterReplayRequested'; readonly data: DeadLetterIdentity }
  | { readonly type: 'DeadLetterDeletionRequested'; readonly data: DeadLetterIdentity };
