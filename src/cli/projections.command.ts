// `tidemark projections`: which versions of the read models there are, which one serves, and how current
// each is; and the end of a version.
import type { Command } from 'commander';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import {
  ADMIN,
  ALL_TOGETHER,
  DEFAULT_PROJECTION,
  projectionPath,
  type ProjectionStatus,
  type ProjectionVersion,
  VERSION_MAX,
} from './rebuilding/api-answers.js';
import { durationText, formatCount, type Terminal } from './terminal.js';

interface ProjectionsOptions extends ServerOptions {
  readonly partitions?: true;
  readonly all?: true;
}

const HELP = `
${ALL_TOGETHER}

A version is building, caught_up (as good as the serving one, and kept current beside it), serving, failed or
retired. "definition" is what it is built and fed by: the program's catalog says which definitions it has; a
version that is not fed has one that the running program lacks, and stands still. Of versions that serve, one of
some sites answers for those, and the version under it for all others.`;

const RETIRE_HELP = `
${ALL_TOGETHER}

Removes the tables of a version that does not serve. They can be built again from the log; until then there is
no rolling back to it. Only when no kept version uses it any more may its definition leave the program.`;

export function projectionsCommand(program: Command, context: CommandContext): void {
  const group = withServer(
    program.command('projections').description('versions of the read models: state, definition, lag'),
  )
    .option('--partitions', 'show how far every partition is')
    .option('--all', 'show retired versions, too')
    .addHelpText('after', HELP)
    .action((options: ProjectionsOptions) => list(options, context));
  withServer(
    group
      .command('retire')
      .description('remove a version that does not serve any more')
      .argument('<version>', 'its number', wholeNumberFrom(1, VERSION_MAX))
      .addHelpText('after', RETIRE_HELP),
  ).action((version: number, _: ServerOptions, command: Command) =>
    retire(version, command.optsWithGlobals(), context),
  );
}

async function list(options: ProjectionsOptions, context: CommandContext): Promise<void> {
  const answer = await connect(context, options).call<{ readonly projections: readonly ProjectionStatus[] }>({
    method: 'GET',
    path: `${ADMIN}/projections`,
  });
  if (options.json) context.terminal.json(answer);
  else if (options.partitions) printPartitions(answer.projections, context.terminal);
  else printVersions(answer.projections.map(options.all ? (one) => one : withoutRetired), context.terminal);
}

const withoutRetired = (status: ProjectionStatus): ProjectionStatus => ({
  ...status,
  versions: status.versions.filter(({ state }) => state !== 'retired'),
});

function printVersions(projections: readonly ProjectionStatus[], terminal: Terminal): void {
  terminal.table(
    [
      { heading: 'projection' },
      { heading: 'version', align: 'right' },
      { heading: 'definition', align: 'right' },
      { heading: 'state' },
      { heading: 'sites' },
      { heading: 'complete up to' },
      { heading: 'lag', align: 'right' },
    ],
    projections.flatMap(({ name, versions }) =>
      versions.map((version) => [
        name,
        String(version.version),
        String(version.definition),
        stateText(version),
        version.sites === null ? 'all' : version.sites.join(', '),
        version.watermark ?? '–',
        lagText(version.lagMs),
      ]),
    ),
  );
}

const isKept = ({ state }: ProjectionVersion): boolean => state !== 'retired' && state !== 'failed';

const stateText = (version: ProjectionVersion): string =>
  isKept(version) && !version.fed ? `${version.state}, not fed` : version.state;

function lagText(lagMs: number | null): string {
  if (lagMs === null) return '–';
  return lagMs < 60_000 ? `${(lagMs / 1_000).toFixed(1)} s` : durationText(lagMs / 1_000);
}

function printPartitions(projections: readonly ProjectionStatus[], terminal: Terminal): void {
  terminal.table(
    [
      { heading: 'projection' },
      { heading: 'version', align: 'right' },
      { heading: 'partition', align: 'right' },
      { heading: 'position' },
      { heading: 'end of the log' },
      { heading: 'behind', align: 'right' },
    ],
    projections.flatMap(({ name, versions }) =>
      versions.flatMap(({ version, partitions }) =>
        partitions.map(({ partition, position, endPosition, lagEvents }) => [
          name,
          String(version),
          String(partition),
          position ?? '–',
          endPosition ?? '–',
          `${formatCount(lagEvents)} events`,
        ]),
      ),
    ),
  );
}

async function retire(version: number, options: ServerOptions, context: CommandContext): Promise<void> {
  await connect(context, options).call(
    { method: 'DELETE', path: `${projectionPath(DEFAULT_PROJECTION)}/versions/${version}` },
    'See "tidemark projections".',
  );
  if (options.json) context.terminal.json({ retired: version });
  else context.terminal.print(`Version ${version} is retired; its tables are removed within seconds.`);
}
