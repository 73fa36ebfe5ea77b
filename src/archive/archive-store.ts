// Where the objects of the archive are: a directory, or a bucket of any store that speaks S3.
//
// The laws, checked for every driver by test/contract/archive-store.contract.ts: an object is there whole or
// not at all, whatever becomes of who puts it; what `put` acknowledged is durable; putting the same name
// again replaces the object as a whole; deleting what is not there is no mistake.

/** Letters, digits, dots, dashes and underscores, in parts divided by slashes; no part begins with a dot. */
export type ObjectName = string;

export class MissingObjectError extends Error {
  override readonly name = 'MissingObjectError';
  constructor(readonly object: ObjectName) {
    super(`The archive has no object ${object}`);
  }
}

/** The store does not answer, or refuses; the message is for the operator. */
export class ArchiveStoreError extends Error {
  override readonly name = 'ArchiveStoreError';
}

/** Abstract class rather than interface, so that it is its own injection token. */
export abstract class ArchiveStore {
  /** The signal may end a put early; the object is then there whole or not at all. */
  abstract put(name: ObjectName, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;

  /** @throws MissingObjectError */
  abstract get(name: ObjectName, signal?: AbortSignal): Promise<Uint8Array>;

  /** Names that begin with `prefix`, in no order. What is put or deleted meanwhile may be in it or not. */
  abstract list(prefix: string): AsyncIterable<ObjectName>;

  abstract delete(name: ObjectName): Promise<void>;
}
