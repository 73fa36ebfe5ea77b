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

type List = readonly string[];

interface Site {
  readonly id: string;
  readonly domain: string;
  readonly name: string;
  readonly timezone: string;
  readonly currency: string;
  readonly trackingIds: List;
  readonly spread: number;
  // An older server leaves out what it does not know.
  readonly aliases?: List;
  readonly weekStart?: string;
  readonly consentMode?: string;
  readonly allowedOrigins?: List;
  readonly hostnames?: List;
  readonly queryParameters?: List;
  readonly exclusions?: Readonly<Record<'countries' | 'addresses' | 'pages' | 'hostnames', List>>;
}

interface MerchantOption {
  readonly merchant?: string;
}

interface SiteFields extends ServerOptions, Partial<Omit<Site, 'id' | 'exclusions'>> {
  readonly excludeCountries?: List;
  readonly excludeAddresses?: List;
  readonly excludePages?: List;
  readonly excludeHostnames?: List;
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
      body: { ...fieldsOf(options), domain, merchant: options.merchant },
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
    group
      .command('change')
      .description("change a site's settings; an empty list ('') takes a setting back")
      .argument('<site>', 'id or domain')
      .option('--domain <domain>', 'another domain; the present one is released, unless --aliases names it'),
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
    .option('--aliases <list>', 'comma list of further domains of the site', commaList)
    .option('--week-start <day>', 'monday, sunday or saturday: with which day weeks begin in reports')
    .option(
      '--consent-mode <mode>',
      'none, cookieless or full: what visitors are taken to allow, where an event does not say it',
    )
    .option(
      '--allowed-origins <list>',
      'comma list of hosts whose pages may send with a public key',
      commaList,
    )
    .option('--hostnames <list>', 'comma list of hosts whose pages count', commaList)
    .option('--query-parameters <list>', 'comma list of query parameters of page URLs to keep', commaList)
    .option('--exclude-countries <list>', 'comma list of country codes whose events are not kept', commaList)
    .option('--exclude-addresses <list>', 'the same, of addresses and blocks such as 192.0.2.0/24', commaList)
    .option('--exclude-pages <list>', 'the same, of paths such as /admin/**', commaList)
    .option('--exclude-hostnames <list>', 'the same, of hosts such as staging.shop.example', commaList)
    .option('--tracking-ids <list>', "comma list of names by which other vendors' clients call it", commaList)
    .option(
      '--spread <k>',
      'partitions over which the visitors of a very busy site are spread (operator only)',
      wholeNumberFrom(1, PARTITIONS_MAX),
    );

const pathOf = (site: string): string => `/v1/sites/${encodeURIComponent(site)}`;

/** What is not given is undefined, which JSON leaves out. */
function fieldsOf(options: SiteFields) {
  const { domain, name, timezone, currency, trackingIds, spread, aliases, weekStart, consentMode } = options;
  const { allowedOrigins, hostnames, queryParameters, excludeCountries: countries } = options;
  const { excludeAddresses: addresses, excludePages: pages, excludeHostnames } = options;
  const exclusions = { countries, addresses, pages, hostnames: excludeHostnames };
  return {
    ...{ domain, name, timezone, currency, trackingIds, spread, aliases, weekStart, consentMode },
    ...{ allowedOrigins, hostnames, queryParameters },
    exclusions: isEmpty(exclusions) ? undefined : exclusions,
  };
}

const isEmpty = (fields: object): boolean => Object.values(fields).every((value) => value === undefined);

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
  if (isEmpty(body)) {
    throw usageError('Nothing to change: give --name or another setting; --help lists them.');
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
  const { exclusions } = site;
  const lists: readonly (readonly [string, List | undefined])[] = [
    ['aliases', site.aliases],
    ['allowed origins', site.allowedOrigins],
    ['hostnames', site.hostnames],
    ['query parameters', site.queryParameters],
    ['excluded countries', exclusions?.countries],
    ['excluded addresses', exclusions?.addresses],
    ['excluded pages', exclusions?.pages],
    ['excluded hostnames', exclusions?.hostnames],
  ];
  terminal.table(
    [{ heading: site.domain }, { heading: '' }],
    [
      ['id', site.id],
      ['name', site.name],
      ['time zone', site.timezone],
      ['currency', site.currency],
      ...(site.weekStart === undefined ? [] : [['weeks begin on', site.weekStart]]),
      ...(site.consentMode === undefined ? [] : [['consent mode', site.consentMode]]),
      ['tracking ids', site.trackingIds.join(', ')],
      ...lists.flatMap(([name, list = []]) => (list.length > 0 ? [[name, list.join(', ')]] : [])),
      ...(isSpread(site) ? [['spread', `${site.spread} partitions`]] : []),
    ],
  );
}
