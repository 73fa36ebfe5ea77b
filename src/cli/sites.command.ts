// `tidemark sites …`: the sites of this installation.
import type { Command } from 'commander';
import { PARTITIONS_MAX } from '../config/config.js';
import {
  commaList,
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { usageError } from './failure.js';
import { allItems } from './list-items.js';
import type { Terminal } from './terminal.js';

interface Site {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
  readonly trackingIds: readonly string[];
  readonly spread: number;
}

interface MerchantOption {
  readonly merchant?: string;
}

interface SiteFields extends ServerOptions {
  readonly name?: string;
  readonly timezone?: string;
  readonly currency?: string;
  readonly trackingIds?: readonly string[];
  readonly spread?: number;
}

export function sitesCommand(program: Command, context: CommandContext): void {
  const group = program.command('sites').description('list, create, show, change and delete sites');
  withServer(group.command('list').description('every site')).action((options: ServerOptions) =>
    list(options, context),
  );
  withFields(
    group
      .command('create')
      .description('add a site')
      .argument('<domain>', 'such as shop.example')
      .option('--merchant <id>', "whose it is to be (default: the operator's own)"),
  ).action(async (domain: string, options: SiteFields & MerchantOption) => {
    const site = await connect(context, options).call<Site>({
      method: 'POST',
      path: '/v1/sites',
      body: { domain, merchant: options.merchant, ...fieldsOf(options) },
    });
    show(site, options, context.terminal);
  });
  withServer(group.command('show').description('one site').argument('<site>', 'id or domain')).action(
    async (site: string, options: ServerOptions) => {
      show(
        await connect(context, options).call<Site>({ method: 'GET', path: pathOf(site) }),
        options,
        context.terminal,
      );
    },
  );
  withFields(
    group.command('change').description("change a site's settings").argument('<site>', 'id or domain'),
  ).action((site: string, options: SiteFields) => change(site, options, context));
  withServer(
    group
      .command('delete')
      .description('delete a site')
      .argument('<site>', 'id or domain')
      .option('--yes', 'really delete it: nothing brings it back'),
  ).action((site: string, options: ServerOptions & { yes?: true }) => remove(site, options, context));
}

const withFields = (command: Command): Command =>
  withServer(command)
    .option('--name <name>', 'what people call it')
    .option('--timezone <zone>', 'IANA name, such as Europe/Berlin: where its days begin')
    .option('--currency <code>', 'ISO 4217, such as EUR')
    .option('--tracking-ids <list>', "comma list of names by which other vendors' clients call it", commaList)
    .option(
      '--spread <k>',
      'partitions over which the visitors of a very busy site are spread (operator only)',
      wholeNumberFrom(1, PARTITIONS_MAX),
    );

const pathOf = (site: string): string => `/v1/sites/${encodeURIComponent(site)}`;

const fieldsOf = ({ name, timezone, currency, trackingIds, spread }: SiteFields) => ({
  name,
  timezone,
  currency,
  trackingIds,
  spread,
});

const isSpread = ({ spread }: Site): boolean => spread > 1;

async function list(options: ServerOptions, context: CommandContext): Promise<void> {
  const sites = await allItems<Site>(connect(context, options), { path: '/v1/sites', field: 'sites' });
  if (options.json) {
    context.terminal.json({ sites });
    return;
  }
  if (sites.length === 0) {
    context.terminal.note('There are no sites yet: tidemark sites create shop.example');
    return;
  }
  const spread = sites.some(isSpread) ? ['spread'] : [];
  context.terminal.table(
    ['domain', 'name', 'time zone', 'currency', ...spread, 'id'].map((heading) => ({ heading })),
    sites.map((site) => [
      ...[site.domain, site.name, site.timezone, site.currency],
      ...spread.map(() => (isSpread(site) ? String(site.spread) : '')),
      site.id,
    ]),
  );
}

async function change(site: string, options: SiteFields, context: CommandContext): Promise<void> {
  const body = fieldsOf(options);
  if (Object.values(body).every((value) => value === undefined)) {
    throw usageError('Nothing to change: give --name, --timezone, --currency, --tracking-ids or --spread.');
  }
  const changed = await connect(context, options).call<Site>({ method: 'PATCH', path: pathOf(site), body });
  show(changed, options, context.terminal);
}

async function remove(
  site: string,
  options: ServerOptions & { yes?: true },
  context: CommandContext,
): Promise<void> {
  if (!options.yes)
    throw usageError(`Nothing brings ${site} back once it is deleted. If you are sure, add --yes.`);
  await connect(context, options).call({ method: 'DELETE', path: pathOf(site) });
  if (options.json) context.terminal.json({ deleted: site });
  else context.terminal.print(`${site} is deleted.`);
}

function show(site: Site, options: ServerOptions, terminal: Terminal): void {
  if (options.json) {
    terminal.json(site);
    return;
  }
  terminal.table(
    [{ heading: site.domain }, { heading: '' }],
    [
      ['id', site.id],
      ['name', site.name],
      ['time zone', site.timezone],
      ['currency', site.currency],
      ['tracking ids', site.trackingIds.join(', ')],
      ...(isSpread(site) ? [['spread', `${site.spread} partitions`]] : []),
    ],
  );
}
