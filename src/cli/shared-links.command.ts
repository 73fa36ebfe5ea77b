// `tidemark shared-links …`: links by which others see the numbers of a site, without a key.
import type { Command } from 'commander';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { EXPIRES, type Expiry } from './expiry.js';
import { allItems } from './list-items.js';

interface SharedLink {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly hasPassword: boolean;
  readonly embeddable: boolean;
  readonly expiresAt: string | null;
}

interface CreateOptions extends ServerOptions {
  readonly expires?: Expiry;
  readonly embeddable?: boolean;
}

export function sharedLinksCommand(program: Command, context: CommandContext): void {
  const group = program
    .command('shared-links')
    .description('list, create and delete links that show the numbers of a site');
  withSite(group.command('list').description('every link of a site')).action(
    (site: string, options: ServerOptions) => list(site, options, context),
  );
  withSite(group.command('create').description('make a link'))
    .argument('<name>', 'what it is for')
    .option('--embeddable', 'pages of others may show it in a frame')
    .option(...EXPIRES)
    .action((site: string, name: string, options: CreateOptions) => create([site, name], options, context));
  withSite(group.command('delete').description('make a link useless, at once'))
    .argument('<id>', 'as listed')
    .action((site: string, id: string, options: ServerOptions) => remove([site, id], options, context));
}

const withSite = (command: Command): Command => withServer(command).argument('<site>', 'id or domain');

const pathOf = (site: string): string => `/v1/sites/${encodeURIComponent(site)}/shared-links`;

async function list(site: string, options: ServerOptions, context: CommandContext): Promise<void> {
  const sharedLinks = await allItems<SharedLink>(connect(context, options), {
    path: pathOf(site),
    field: 'sharedLinks',
  });
  if (options.json) {
    context.terminal.json({ sharedLinks });
    return;
  }
  context.terminal.table(
    ['name', 'password', 'expires', 'id', 'url'].map((heading) => ({ heading })),
    sharedLinks.map(({ name, hasPassword, expiresAt, id, url }) => [
      ...[name, hasPassword ? 'yes' : 'no'],
      ...[expiresAt ?? 'never', id, url],
    ]),
  );
}

async function create(
  [site, name]: readonly [string, string],
  { embeddable, expires, ...options }: CreateOptions,
  context: CommandContext,
): Promise<void> {
  const made = await connect(context, options).call<SharedLink>({
    method: 'POST',
    path: pathOf(site),
    body: {
      name,
      ...(embeddable && { embeddable }),
      ...(expires && { expiresAt: expires(context.now()) }),
    },
  });
  if (options.json) {
    context.terminal.json(made);
    return;
  }
  context.terminal.print(made.url);
  context.terminal.note(
    `Whoever has it sees the site. To end it: tidemark shared-links delete ${site} ${made.id}`,
  );
}

async function remove(
  [site, id]: readonly [string, string],
  options: ServerOptions,
  context: CommandContext,
): Promise<void> {
  await connect(context, options).call({
    method: 'DELETE',
    path: `${pathOf(site)}/${encodeURIComponent(id)}`,
  });
  if (options.json) context.terminal.json({ deleted: id });
  else context.terminal.print(`${id} is deleted.`);
}
