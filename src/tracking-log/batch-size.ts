// How much of what waits is sent together: no more than one batch may hold.
import { BATCH_BYTES_MAX } from './tracking-log.js';

/** The first of them, one at least. */
export function whatFitsOneBatch<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): readonly Item[] {
  let bytesTogether = 0;
  const tooMany = items.findIndex((item) => (bytesTogether += bytesOf(item)) > BATCH_BYTES_MAX);
  return tooMany === -1 ? items : items.slice(0, Math.max(1, tooMany));
}
