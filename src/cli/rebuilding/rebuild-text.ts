// How a rebuild is told in text: one line for it, one for each partition, and what can be done next. Pure.
import { durationText, formatCount, shareBar } from '../terminal.js';
import { isUnderWay, type Rebuild, type RebuildPartition } from './api-answers.js';

/** Beside the lines of partitions: heading, total, and how many partitions are not shown. */
const OTHER_LINES = 3;

const shareOf = ({ events, eventsExpected }: Pick<Rebuild, 'events' | 'eventsExpected'>): number =>
  eventsExpected > 0 ? Math.min(events / eventsExpected, 1) : 0;

/** What follows the log has all of it, even if that is nothing. */
export const partitionShareOf = (partition: RebuildPartition): number =>
  partition.phase === 'following' ? 1 : shareOf(partition);

/** Of what has not begun, nothing is known. */
export const partitionCountsText = (partition: RebuildPartition): string =>
  partition.phase === 'waiting' ? '' : countsText(partition);

export const scopeText = ({ sites, from, to }: Rebuild['scope']): string => {
  const days = from === null && to === null ? [] : [`${from ?? '…'} to ${to ?? '…'}`];
  return [...(sites === null ? [] : [sites.join(', ')]), ...days].join('; ') || 'everything';
};

const countsText = ({ events, eventsExpected }: Pick<Rebuild, 'events' | 'eventsExpected'>): string =>
  `${formatCount(events)} of ${formatCount(Math.max(events, eventsExpected))} events`;

/** How far, how fast, how long still. Nothing is known any more of what is over and removed. */
export const progressText = (rebuild: Rebuild): string =>
  rebuild.eventsExpected === 0 && !isUnderWay(rebuild)
    ? ''
    : [countsText(rebuild), ...paceTexts(rebuild)].join('  ');

function paceTexts(rebuild: Rebuild): string[] {
  const { state, eventsPerSecond, secondsLeft } = rebuild;
  if (state === 'requested') return ['waiting for a projector'];
  if (state !== 'running') return [];
  if (isWritten(rebuild)) return ['making indexes, catching up'];
  return [
    ...(eventsPerSecond === null ? [] : [`${formatCount(Math.round(eventsPerSecond))} events/s`]),
    ...(secondsLeft === null ? [] : [`${durationText(secondsLeft)} left`]),
  ];
}

const isWritten = ({ partitions }: Rebuild): boolean =>
  partitions.length > 0 && partitions.every(({ phase }) => phase === 'following');

/** One line, for a log. */
export function plainLine(rebuild: Rebuild): string {
  const percent = `${Math.floor(shareOf(rebuild) * 100)} %`;
  return `version ${rebuild.version}  ${rebuild.state}  ${percent}  ${progressText(rebuild)}`;
}

/** A bar for each partition, as many as fit, the unfinished first to be shown; and one for all. */
export function barLines(rebuild: Rebuild, rowsMax: number): string[] {
  const { partitions } = rebuild;
  const shown = mostTelling(partitions, Math.max(1, rowsMax - OTHER_LINES));
  const hidden = partitions.length - shown.length;
  return [
    `rebuild ${rebuild.id}  version ${rebuild.version}  ${rebuild.state}`,
    ...shown.map((partition) =>
      `${`partition ${partition.partition}`.padEnd(14)}${partition.phase.padEnd(11)}${shareBar(partitionShareOf(partition))}  ${partitionCountsText(partition)}`.trimEnd(),
    ),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
    `${'all'.padEnd(25)}${shareBar(shareOf(rebuild))}  ${progressText(rebuild)}`,
  ];
}

function mostTelling(partitions: readonly RebuildPartition[], countMax: number): RebuildPartition[] {
  const finished = ({ phase }: RebuildPartition): number => (phase === 'following' ? 1 : 0);
  return [...partitions]
    .sort((one, other) => finished(one) - finished(other))
    .slice(0, countMax)
    .sort((one, other) => one.partition - other.partition);
}

/** What the operator can do about it as it stands. */
export function nextStepText({ id, version, state, error }: Rebuild): string {
  switch (state) {
    case 'requested':
    case 'running':
      return `Watch it: tidemark rebuilds ${id} --watch`;
    case 'paused':
      return `Version ${version} is paused. Go on: tidemark rebuilds resume ${id}`;
    case 'caught_up':
      return `Version ${version} has caught up. See what differs: tidemark compare; let it serve: tidemark promote ${version}`;
    case 'promoted':
      return `Version ${version} was promoted. Back to the one before: tidemark rollback`;
    case 'cancelled':
      return `The rebuild of version ${version} was cancelled; what it had written is removed.`;
    case 'failed':
      return `The rebuild of version ${version} failed: ${error ?? 'the server does not say why'}
Mend the cause and go on where it stopped: tidemark rebuilds resume ${id}
Or give it up: tidemark rebuilds cancel ${id}`;
  }
}
