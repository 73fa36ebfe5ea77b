// `tidemark rebuild`: builds the next version of the read models from the log, beside the one that serves.
import { type Command, Option } from 'commander';
import {
  commaList,
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
  type Rebuild,
  VERSION_MAX,
} from './rebuilding/api-answers.js';
import { dayOf } from './rebuilding/day.js';
import { nextStepText, scopeText } from './rebuilding/rebuild-text.js';
import { watchRebuild } from './rebuilding/watch-rebuild.js';

interface RebuildOptions extends ServerOptions {
  readonly site?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly source?: string;
  readonly version?: number;
  readonly watch?: true;
}

const HELP = `
Builds by the newest definition of the running program, from the log, beside the version that serves: answers go
on coming from that one until "tidemark promote". One rebuild runs at a time. It survives restarts, can be
paused, resumed and cancelled ("tidemark rebuilds"), and costs as much disk again as the read models have, and
while it sorts, about as much as the log.

${ALL_TOGETHER}

With --site, the new version holds these sites only, and once promoted answers for them, while the version under it
goes on answering for all others. With --from or --to, sessions that began on other days (in the zone of their
site) are copied as they are from the version that serves, and sessions that cross midnight stay whole.

With --watch: bars on a terminal, a line every few seconds elsewhere, with --json a line of JSON for every
change. Ends with 0 once the new version has caught up, with 1 when it failed or was cancelled. Ctrl-C ends the
watching only.

Example:
  tidemark rebuild --watch && tidemark compare
  tidemark rebuild --site shop.example --from 2026-11-02 --to 2026-11-08 --watch`;

export function rebuildCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('rebuild')
      .description('build the read models anew from the log, beside those that serve')
      .argument('[projection]', 'under whose name', DEFAULT_PROJECTION)
      .option('--site <list>', 'only these sites, by id or domain; may be repeated', sites)
      .option('--from <day>', 'only from this day on, YYYY-MM-DD', dayOf)
      .option('--to <day>', 'only up to this day, YYYY-MM-DD, included', dayOf)
      .addOption(
        new Option('--source <source>', 'where the events are read from (default: log)').choices([
          'log',
          'archive+log',
        ]),
      )
      .option('--version <number>', 'number of the new version (default: the next)', versionNumber)
      .option('--watch', 'stay and show how far it is')
      .addHelpText('after', HELP),
  ).action((projection: string, options: RebuildOptions) => run(projection, options, context));
}

const versionNumber = wholeNumberFrom(1, VERSION_MAX);

const sites = (text: string, before: readonly string[] = []): string[] => [...before, ...commaList(text)];

async function run(projection: string, options: RebuildOptions, context: CommandContext): Promise<void> {
  const { site, from, to, source, version } = options;
  const client = connect(context, options);
  const rebuild = await client.call<Rebuild>(
    {
      method: 'POST',
      path: `${projectionPath(projection)}/rebuilds`,
      body: { version, sites: site, from, to, source },
    },
    'See "tidemark rebuilds".',
  );
  const json = options.json ?? false;
  if (!options.watch) {
    if (json) context.terminal.json(rebuild);
    else context.terminal.print(`${begunText(rebuild)}\n${nextStepText(rebuild)}`);
    return;
  }
  if (!json) context.terminal.note(begunText(rebuild));
  await watchRebuild(rebuild.id, { client, context, json });
}

const begunText = ({ id, version, definition, scope }: Rebuild): string =>
  `Rebuild ${id} builds version ${version} by definition ${definition} (${scopeText(scope)}).`;
