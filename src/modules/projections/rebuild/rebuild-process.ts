// Builds a partition in another process: on another core, with a memory of its own, and with less claim to
// the machine than live projection, queries and intake have. A process builds one partition after another.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { within } from '../../../waiting/within.js';
import type { BuildAnswer, BuildOrder, OrderMessage } from './rebuild-program.js';

/** What `main.ts` is told to be this program. */
export const REBUILD_ARGUMENT = 'rebuild-partition';
/**
 * Almost all that is made here is of no use a moment later: a young generation that is large from the
 * beginning, and an old one that is not gone through before it is worth it.
 */
const NODE_FLAGS = [
  ...['--min-semi-space-size=32', '--max-semi-space-size=32'],
  ...['--initial-old-space-size=128', '--max-old-space-size=512'],
  '--enable-source-maps',
];
const NICENESS = 5;
/** A bucket that is being written is finished. */
const STOP_TIMEOUT_MS = 5_000;
/** For the next partition, which comes at once or not at all. */
const IDLE_MS_MAX = 1_000;

/** Later it may go on. */
export class BuildInterruptedError extends Error {
  override readonly name = 'BuildInterruptedError';
}

/** It cannot go on by itself. */
export class BuildFailedError extends Error {
  override readonly name = 'BuildFailedError';
}

interface Builder {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
}

/** Done with one partition, each until it gets another: it has its program loaded and compiled. */
const idle: Builder[] = [];

/**
 * Settles when the partition is built, or early after the signal.
 * @throws BuildInterruptedError, BuildFailedError
 */
export async function buildInProcess(order: BuildOrder, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const builder = idle.pop() ?? startBuilder();
  const { child, ended } = builder;
  const stop = () => void stopBuilder(builder);
  signal.addEventListener('abort', stop, { once: true });
  try {
    tell(child, { build: order });
    const said = await Promise.race([once(child, 'message'), ended.then(() => [])]);
    const answer = said[0] as BuildAnswer | undefined;
    if (answer?.outcome === 'built' && !signal.aborted) keepForNext(builder);
    else await ended;
    judge(answer, signal);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function startBuilder(): Builder {
  const child = fork(process.argv[1]!, [REBUILD_ARGUMENT], {
    execArgv: NODE_FLAGS,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  lowerPriority(child);
  return { child, ended: once(child, 'exit') };
}

function keepForNext(builder: Builder): void {
  const leave = (): void => {
    const place = idle.indexOf(builder);
    if (place < 0) return;
    idle.splice(place, 1);
    if (builder.child.connected) builder.child.disconnect();
  };
  idle.push(builder);
  builder.ended.then(leave, leave);
  setTimeout(leave, IDLE_MS_MAX);
}

function judge(answer: BuildAnswer | undefined, signal: AbortSignal): void {
  if (signal.aborted || answer?.outcome === 'built') return;
  if (answer?.outcome !== 'failed') {
    throw new BuildInterruptedError('the process that built it ended before it was done');
  }
  throw answer.passing ? new BuildInterruptedError(answer.reason) : new BuildFailedError(answer.reason);
}

async function stopBuilder({ child, ended }: Builder): Promise<void> {
  tell(child, { stop: true });
  if ((await within(STOP_TIMEOUT_MS, ended)) === undefined) child.kill('SIGKILL');
}

function tell(child: ChildProcess, message: OrderMessage): void {
  // One that has ended already is noticed by its end.
  if (child.connected) child.send(message, () => {});
}

function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, NICENESS);
  } catch {
    // It ended at once, or the system does not allow it: then it goes on as it is.
  }
}
