// The events of a dead letter, in today's shape, as a replay appends them: unchanged, the ids above all.
import type { TrackedEvent } from '../../../events/tracked-event.js';
import { upcast } from '../../../events/upcasters.js';
import { decodeBatch } from '../../../tracking-log/batch-codec.js';
import type { LetterContent } from './dead-letter-table.js';

/** What was written when letters kept no bytes. */
const SCHEMA_BEFORE_BYTES = 1;

/** @throws UnknownEventSchemaError while this version cannot read them either; DamagedBatchError */
export function eventsOfLetter({ batch, event }: LetterContent): readonly TrackedEvent[] {
  return batch === null ? [upcast(SCHEMA_BEFORE_BYTES, event)] : decodeBatch(batch).events;
}
