import { givenDraft } from '../../../../test/given-draft.js';
import { partitionOf } from '../../../tracking-log/partitioning.js';
import { NEXT } from '../verdict.js';
import { choosePartition } from './choose-partition.js';

it('sends all events of a site to the partition of the site', () => {
  const draft = givenDraft();
  draft.event.site = 'shop';
  expect(choosePartition(16)(draft)).toBe(NEXT);
  expect(draft.partition).toBe(partitionOf('shop', 16));
});
