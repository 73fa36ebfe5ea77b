// `tidemark merchants …`: who owns the sites of this installation.
import type { Command } from 'commander';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { usageError } from './failure.js';
import { allItems } from './list-items.js';
import { formatCount } from './terminal.js';

interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

interface CountedMerchant extends Merchant {
  readonly members: number;
  readonly sites: number;
}

interface ListOptions extends ServerOptions {
  readonly search?: string;
}

interface DeleteOptions extends ServerOptions {
  readonly name?: string;
}

interface Deletion {
  readonly state: string;
  readonly left: number;
  readonly eraseAfter: string;
}

const PATH = '/admin/v1/merchants';

export function merchantsCommand(program: Command, context: CommandContext): void {
  const group = program.command('merchants').description('list, create and delete merchants, who own sites');
  withServer(
    group
      .command('list')
      .description('every merchant')
      .option('--search <text>', 'only those with this in their name, or with this id'),
  ).action((options: ListOptions) => list(options, context));
  withServer(
    group.command('create').description('add a merchant').argument('<name>', 'what people call it'),
  ).action((name: string, options: ServerOptions) => create(name, options, context));
  withServer(
    group
      .command('delete')
      .description('delete a merchant with its sites, keys and members; again: say how far that is')
      .argument('<id>', 'as the list says it')
      .option('--name <name>', 'what it is called, if you are sure'),
  ).action((id: string, options: DeleteOptions) => remove(id, options, context));
}

async function list(options: ListOptions, context: CommandContext): Promise<void> {
  const merchants = await allItems<CountedMerchant>(connect(context, options), {
    path: PATH,
    field: 'merchants',
    parameters: { search: options.search },
  });
  if (options.json) {
    context.terminal.json({ merchants });
    return;
  }
  context.terminal.table(
    [
      { heading: 'name' },
      { heading: 'members', align: 'right' },
      { heading: 'sites', align: 'right' },
      { heading: 'since' },
      { heading: 'id' },
    ],
    merchants.map(({ name, members, sites, createdAt, id }) => [
      ...[name, formatCount(members), formatCount(sites)],
      ...[createdAt.slice(0, 10), id],
    ]),
  );
}

async function create(name: string, options: ServerOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const made = await connect(context, options).call<Merchant>({ method: 'POST', path: PATH, body: { name } });
  if (options.json) {
    terminal.json(made);
    return;
  }
  terminal.print(made.id);
  terminal.note(`Sites of its own: tidemark sites create shop.example --merchant ${made.id}`);
}

async function remove(id: string, options: DeleteOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  if (options.name === undefined)
    throw usageError(
      `Nothing brings ${id} back once it is deleted. If you are sure, add --name with its name.`,
    );
  const deletion = await connect(context, options).call<Deletion>({
    ...{ method: 'DELETE', path: `${PATH}/${encodeURIComponent(id)}`, body: { confirm: options.name } },
  });
  if (options.json) {
    terminal.json(deletion);
    return;
  }
  const { state, left, eraseAfter } = deletion;
  terminal.print(`${id} is deleted: ${state}, rows are erased after ${eraseAfter}.`);
  if (left > 0) terminal.note(`${formatCount(left)} sites and keys are left; ask again.`);
}
