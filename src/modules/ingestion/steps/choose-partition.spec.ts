import { givenDraft } from '../../../../test/given-draft.js';
import { partitionOf, partitionOfVisitor } from '../../../tracking-log/partitioning.js';
import { NEXT } from '../verdict.js';
import { choosePartition } from './choose-partition.js';

const VISITOR = '0123456789abcdef';

const chosen = (spreadAt: (site: string, time: number) => number, occurredAt: number): number => {
  const draft = givenDraft();
  Object.assign(draft.event, { site: 'shop', visitor: VISITOR, occurredAt });
  expect(choosePartition(16, spreadAt)(draft)).toBe(NEXT);
  return draft.partition;
};

it('sends all events of a site to the partition of the site', () => {
  expect(chosen(() => 1, 0)).toBe(partitionOf('shop', 16));
});

it('sends those of a spread site to the partition of the visitor, as it was when they happened', () => {
  const spreadAt = (site: string, time: number) => (site === 'shop' && time >= 1_000 ? 8 : 1);
  const spread = partitionOfVisitor({ site: 'shop', visitor: VISITOR }, { partitions: 16, spread: 8 });
  expect(spread).not.toBe(partitionOf('shop', 16));
  expect(chosen(spreadAt, 999)).toBe(partitionOf('shop', 16));
  expect(chosen(spreadAt, 1_000)).toBe(spread);
});
