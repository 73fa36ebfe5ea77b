// `tidemark keys …`: API keys, of one site or of all. A key is shown once, when it is made.
import type { Command } from 'commander';
import {
  commaList,
  type CommandContext,
  connect,
  type ServerOptions,
  withServer,
} from './command-context.js';
import { allItems } from './list-items.js';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly site?: string | null;
}

interface KeyOptions extends ServerOptions {
  readonly site?: string;
}

interface CreateOptions extends KeyOptions {
  readonly scopes: readonly string[];
  readonly merchant?: string;
}

export function keysCommand(program: Command, context: CommandContext): void {
  const group = program.command('keys').description('list, create and revoke API keys');
  withSite(group.command('list').description('every key, without its secret')).action((options: KeyOptions) =>
    list(options, context),
  );
  withSite(
    group
      .command('create')
      .description('make a key; it is shown this once')
      .argument('<name>', 'what it is for')
      .requiredOption(
        '--scopes <list>',
        'comma list of ingest, ingest:server, stats:read, sites:admin, operator',
        commaList,
      )
      .option('--merchant <id>', "whose it is to be, without --site (default: the operator's own)"),
  ).action((name: string, options: CreateOptions) => create(name, options, context));
  withSite(
    group.command('revoke').description('make a key useless, at once').argument('<id>', 'as listed'),
  ).action((id: string, options: KeyOptions) => revoke(id, options, context));
}

const withSite = (command: Command): Command =>
  withServer(command).option('--site <site>', 'id or domain; without it: keys that hold for every site');

const pathOf = ({ site }: KeyOptions): string =>
  site === undefined ? '/v1/keys' : `/v1/sites/${encodeURIComponent(site)}/keys`;

async function list(options: KeyOptions, context: CommandContext): Promise<void> {
  const keys = await allItems<Key>(connect(context, options), { path: pathOf(options), field: 'keys' });
  if (options.json) {
    context.terminal.json({ keys });
    return;
  }
  context.terminal.table(
    ['name', 'begins with', 'scopes', 'id'].map((heading) => ({ heading })),
    keys.map(({ name, prefix, scopes, id }) => [name, prefix, scopes.join(', '), id]),
  );
}

async function create(name: string, options: CreateOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const made = await connect(context, options).call<Key & { readonly key: string }>({
    method: 'POST',
    path: pathOf(options),
    body: { name, scopes: options.scopes, merchant: options.merchant },
  });
  if (options.json) {
    terminal.json(made);
    return;
  }
  terminal.print(made.key);
  terminal.note(`Keep it: it is not shown again. To revoke it: tidemark keys revoke ${made.id}`);
}

async function revoke(id: string, options: KeyOptions, context: CommandContext): Promise<void> {
  await connect(context, options).call({
    method: 'DELETE',
    path: `${pathOf(options)}/${encodeURIComponent(id)}`,
  });
  if (options.json) context.terminal.json({ revoked: id });
  else context.terminal.print(`${id} is revoked.`);
}
