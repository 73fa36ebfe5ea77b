// The event store did not answer in time or not at all. An append that ends so may or may not have
// been stored: whoever tries again must do so with the revision it expected the first time.
export class EventStoreUnavailableError extends Error {
  override readonly name = 'EventStoreUnavailableError';
  constructor(cause: unknown) {
    super(`The event store is unavailable: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
