// How many events one append may hold, the same for every driver of the event store: appends wait for
// each other and must stay short.
const APPEND_EVENTS_MAX = 100;

export class AppendSizeError extends Error {
  override readonly name = 'AppendSizeError';
  constructor(stream: string, events: number) {
    super(`An append holds 1 to ${APPEND_EVENTS_MAX} events; ${stream} was given ${events}.`);
  }
}

/** @throws AppendSizeError */
export function checkAppendSize(stream: string, events: readonly unknown[]): void {
  if (events.length === 0 || events.length > APPEND_EVENTS_MAX)
    throw new AppendSizeError(stream, events.length);
}
