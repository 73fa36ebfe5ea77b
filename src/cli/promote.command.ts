// `tidemark promote` and `tidemark rollback`: which version of the read models answers come from.
import type { Command } from 'commander';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import {
  ALL_TOGETHER,
  DEFAULT_PROJECTION,
  projectionPath,
  type ServingChange,
  VERSION_MAX,
} from './rebuilding/api-answers.js';

interface PromoteOptions extends ServerOptions {
  readonly force?: true;
}

const PROMOTE_HELP = `
From the next answer on, all numbers come from that version; the one before is kept current beside it until it is
retired, so that "tidemark rollback" is as quick.

${ALL_TOGETHER}`;

const ROLLBACK_HELP = `
Answers come again from the version that served before, which was kept current all the time.

${ALL_TOGETHER}`;

export function promoteCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('promote')
      .description('let another version of the read models serve')
      .argument('<version>', 'its number', wholeNumberFrom(1, VERSION_MAX))
      .option('--force', 'even if it has not caught up: its numbers may be too low')
      .addHelpText('after', PROMOTE_HELP),
  ).action((version: number, options: PromoteOptions) => promote(version, options, context));
}

export function rollbackCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('rollback')
      .description('let the version serve that served before')
      .addHelpText('after', ROLLBACK_HELP),
  ).action((options: ServerOptions) => rollBack(options, context));
}

async function promote(version: number, options: PromoteOptions, context: CommandContext): Promise<void> {
  const change = await connect(context, options).call<ServingChange>(
    {
      method: 'POST',
      path: `${projectionPath(DEFAULT_PROJECTION)}/promote`,
      body: { version, ...(options.force && { force: true }) },
    },
    'See "tidemark projections"; with --force a version may serve that has not caught up.',
  );
  show(change, options, context);
}

async function rollBack(options: ServerOptions, context: CommandContext): Promise<void> {
  const change = await connect(context, options).call<ServingChange>(
    { method: 'POST', path: `${projectionPath(DEFAULT_PROJECTION)}/rollback` },
    'See "tidemark projections".',
  );
  show(change, options, context);
}

function show(change: ServingChange, options: ServerOptions, { terminal }: CommandContext): void {
  const { servingVersion, previousVersion } = change;
  if (options.json) {
    terminal.json(change);
    return;
  }
  const back =
    previousVersion === null ? '' : ` Back to version ${previousVersion}, which is kept: tidemark rollback`;
  terminal.print(`Version ${servingVersion} serves.${back}`);
}
