// Last: the partition of the tracking log that the event belongs to.
import { partitionOf } from '../../../tracking-log/partitioning.js';
import type { AnonymousDraft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';

export const choosePartition =
  (partitions: number): Step<AnonymousDraft> =>
  (draft) => {
    draft.partition = partitionOf(draft.event.site, partitions);
    return NEXT;
  };
