// `tidemark keys …`: API keys, of one site or of all. A key is shown once, when it is made.
import type { Command } from 'commander';
import {
  commaList,
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { EXPIRES, type Expiry } from './expiry.js';
import { allItems } from './list-items.js';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly site?: string | null;
  readonly createdAt: string;
  readonly expiresAt?: string | null;
  readonly lastUsedAt?: string | null;
  readonly successor?: string | null;
}

type ShownKey = Key & { readonly key: string };

interface KeyOptions extends ServerOptions {
  readonly site?: string;
}

interface CreateOptions extends KeyOptions {
  readonly scopes: readonly string[];
  readonly merchant?: string;
  readonly expires?: Expiry;
}

interface RotateOptions extends KeyOptions {
  readonly overlap?: number;
  readonly expires?: Expiry;
}

const OVERLAP_SECONDS_MAX = 2_592_000;
export function keysCommand(program: Command, context: CommandContext): void {
  const group = program.command('keys').description('list, create, rotate and revoke API keys');
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
      .option('--merchant <id>', "whose it is to be, without --site (default: the operator's own)")
      .option(...EXPIRES),
  ).action((name: string, options: CreateOptions) => create(name, options, context));
  withSite(
    group.command('show').description('what there is to know of a key').argument('<id>', 'as listed'),
  ).action((id: string, options: KeyOptions) => show(id, options, context));
  withSite(
    group
      .command('rotate')
      .description('make a key that takes the place of another; it is shown this once')
      .argument('<id>', 'as listed')
      .option(
        '--overlap <seconds>',
        'how long the old key stays good (default: a day)',
        wholeNumberFrom(0, OVERLAP_SECONDS_MAX),
      )
      .option(...EXPIRES),
  ).action((id: string, options: RotateOptions) => rotate(id, options, context));
  withSite(
    group.command('revoke').description('make a key useless, at once').argument('<id>', 'as listed'),
  ).action((id: string, options: KeyOptions) => revoke(id, options, context));
}

const withSite = (command: Command): Command =>
  withServer(command).option('--site <site>', 'id or domain; without it: keys that hold for every site');

const pathOf = ({ site }: KeyOptions): string =>
  site === undefined ? '/v1/keys' : `/v1/sites/${encodeURIComponent(site)}/keys`;

const keyPath = (id: string, options: KeyOptions): string => `${pathOf(options)}/${encodeURIComponent(id)}`;

async function list(options: KeyOptions, context: CommandContext): Promise<void> {
  const keys = await allItems<Key>(connect(context, options), { path: pathOf(options), field: 'keys' });
  if (options.json) {
    context.terminal.json({ keys });
    return;
  }
  context.terminal.table(
    ['name', 'begins with', 'scopes', 'expires', 'last used', 'id'].map((heading) => ({ heading })),
    keys.map((key) => [key.name, key.prefix, key.scopes.join(', '), expiresText(key), usedText(key), key.id]),
  );
}

async function create(name: string, options: CreateOptions, context: CommandContext): Promise<void> {
  const made = await connect(context, options).call<ShownKey>({
    method: 'POST',
    path: pathOf(options),
    body: {
      name,
      scopes: options.scopes,
      merchant: options.merchant,
      ...(options.expires && { expiresAt: options.expires(context.now()) }),
    },
  });
  showOnce(made, options, context);
}

async function rotate(id: string, options: RotateOptions, context: CommandContext): Promise<void> {
  const made = await connect(context, options).call<ShownKey>({
    method: 'POST',
    path: `${keyPath(id, options)}/rotate`,
    body: {
      ...(options.overlap !== undefined && { overlapSeconds: options.overlap }),
      ...(options.expires && { expiresAt: options.expires(context.now()) }),
    },
  });
  showOnce(made, options, context);
}

async function show(id: string, options: KeyOptions, context: CommandContext): Promise<void> {
  const key = await connect(context, options).call<Key>({ method: 'GET', path: keyPath(id, options) });
  if (options.json) {
    context.terminal.json(key);
    return;
  }
  context.terminal.table(
    [{ heading: 'key' }, { heading: key.id }],
    [
      ['name', key.name],
      ['begins with', key.prefix],
      ['scopes', key.scopes.join(', ')],
      ['site', key.site ?? 'every site'],
      ['created', key.createdAt],
      ['expires', expiresText(key)],
      ['last used', usedText(key)],
      ['successor', key.successor ?? 'none'],
    ],
  );
}

function showOnce(made: ShownKey, { json }: KeyOptions, { terminal }: CommandContext): void {
  if (json) {
    terminal.json(made);
    return;
  }
  terminal.print(made.key);
  terminal.note(`Keep it: it is not shown again. To revoke it: tidemark keys revoke ${made.id}`);
}

const expiresText = ({ expiresAt }: Key): string => expiresAt ?? 'never';
const usedText = ({ lastUsedAt }: Key): string => lastUsedAt ?? 'not yet';

async function revoke(id: string, options: KeyOptions, context: CommandContext): Promise<void> {
  await connect(context, options).call({ method: 'DELETE', path: keyPath(id, options) });
  if (options.json) context.terminal.json({ revoked: id });
  else context.terminal.print(`${id} is revoked.`);
}
