// Last: the partition of the tracking log that the event belongs to.
import { partitionOf, partitionOfVisitor } from '../../../tracking-log/partitioning.js';
import type { AnonymousDraft } from '../draft.js';
import { NEXT, type Step } from '../verdict.js';

/** Over how many partitions a site's events of a time (epoch ms) are spread. */
export type SpreadAt = (site: string, time: number) => number;

export const choosePartition =
  (partitions: number, spreadAt: SpreadAt): Step<AnonymousDraft> =>
  (draft) => {
    const { site, occurredAt } = draft.event;
    const spread = spreadAt(site, occurredAt);
    draft.partition =
      spread === 1 ? partitionOf(site, partitions) : partitionOfVisitor(draft.event, { partitions, spread });
    return NEXT;
  };
