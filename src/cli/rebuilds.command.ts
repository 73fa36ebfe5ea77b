// `tidemark rebuilds`: what was rebuilt and is being rebuilt, how far it is, and how to hold or end it.
import type { Command } from 'commander';
import type { ApiClient } from './api-client.js';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { CliFailure } from './failure.js';
import { allItems } from './list-items.js';
import { ADMIN, ALL_TOGETHER, isUnderWay, type Rebuild, rebuildPath } from './rebuilding/api-answers.js';
import {
  partitionCountsText,
  nextStepText,
  partitionShareOf,
  progressText,
  scopeText,
} from './rebuilding/rebuild-text.js';
import { watchRebuild } from './rebuilding/watch-rebuild.js';
import { shareBar, type Terminal } from './terminal.js';

interface RebuildsOptions extends ServerOptions {
  readonly watch?: true;
}

const HELP = `
${ALL_TOGETHER}

Without an id: every rebuild; with --watch, the one that is under way. Watching ends with 0 once the version has
caught up, with 1 when it failed or was cancelled; Ctrl-C ends the watching only.`;

const CONTROLS = {
  pause: 'hold a rebuild; what it has done stays',
  resume: 'go on with a rebuild that was paused or has failed, from where it stopped',
  cancel: 'end a rebuild and remove what it has written',
} as const;

export function rebuildsCommand(program: Command, context: CommandContext): void {
  const group = withServer(program.command('rebuilds').description('list, watch, pause and cancel rebuilds'))
    .argument('[id]', 'of one rebuild, to see each partition')
    .option('--watch', 'stay and show how far it is')
    .addHelpText('after', HELP)
    .action((id: string | undefined, options: RebuildsOptions) => run(id, options, context));
  for (const [control, description] of Object.entries(CONTROLS)) {
    withServer(group.command(control).description(description).argument('<id>', 'as listed'))
      .addHelpText('after', `\n${ALL_TOGETHER}`)
      .action((id: string, _: ServerOptions, command: Command) =>
        change({ id, control }, command.optsWithGlobals(), context),
      );
  }
}

async function run(id: string | undefined, options: RebuildsOptions, context: CommandContext): Promise<void> {
  const client = connect(context, options);
  if (options.watch) {
    const watched = id ?? (await idUnderWay(client));
    await watchRebuild(watched, { client, context, json: options.json ?? false });
  } else if (id === undefined) {
    list(await allRebuilds(client), options, context.terminal);
  } else {
    show(await client.call<Rebuild>({ method: 'GET', path: rebuildPath(id) }), options, context.terminal);
  }
}

const allRebuilds = (client: ApiClient): Promise<Rebuild[]> =>
  allItems<Rebuild>(client, { path: `${ADMIN}/rebuilds`, field: 'rebuilds' });

async function idUnderWay(client: ApiClient): Promise<string> {
  const rebuild = (await allRebuilds(client)).find(isUnderWay);
  if (rebuild) return rebuild.id;
  throw new CliFailure(
    'No rebuild is under way. "tidemark rebuilds" lists all, "tidemark rebuild" begins one.',
  );
}

function list(rebuilds: readonly Rebuild[], { json }: RebuildsOptions, terminal: Terminal): void {
  if (json) {
    terminal.json({ rebuilds });
    return;
  }
  if (rebuilds.length === 0) {
    terminal.note('Nothing was rebuilt yet: tidemark rebuild --watch');
    return;
  }
  terminal.table(
    [
      { heading: 'id' },
      { heading: 'version', align: 'right' },
      { heading: 'state' },
      { heading: 'scope' },
      { heading: 'source' },
      { heading: 'requested' },
      { heading: 'progress' },
    ],
    rebuilds.map((rebuild) => [
      rebuild.id,
      String(rebuild.version),
      rebuild.state,
      scopeText(rebuild.scope),
      rebuild.source,
      rebuild.requestedAt,
      progressText(rebuild),
    ]),
  );
}

async function change(
  { id, control }: { readonly id: string; readonly control: string },
  options: ServerOptions,
  context: CommandContext,
): Promise<void> {
  const rebuild = await connect(context, options).call<Rebuild>(
    { method: 'POST', path: `${rebuildPath(id)}/${control}` },
    'See "tidemark rebuilds".',
  );
  if (options.json) context.terminal.json(rebuild);
  else context.terminal.print(nextStepText(rebuild));
}

function show(rebuild: Rebuild, { json }: RebuildsOptions, terminal: Terminal): void {
  if (json) {
    terminal.json(rebuild);
    return;
  }
  terminal.table(
    [{ heading: `rebuild ${rebuild.id}` }, { heading: '' }],
    [
      ['version', String(rebuild.version)],
      ['definition', String(rebuild.definition)],
      ['state', rebuild.state],
      ['scope', scopeText(rebuild.scope)],
      ['source', rebuild.source],
      ['requested', rebuild.requestedAt],
      ['progress', progressText(rebuild)],
    ],
  );
  terminal.print();
  terminal.table(
    [
      { heading: 'partition', align: 'right' },
      { heading: 'phase' },
      { heading: '' },
      { heading: 'events' },
      { heading: '' },
    ],
    rebuild.partitions.map((partition) => [
      String(partition.partition),
      partition.phase,
      shareBar(partitionShareOf(partition)),
      partitionCountsText(partition),
      partition.error ?? '',
    ]),
  );
  terminal.print(`\n${nextStepText(rebuild)}`);
}
