// `tidemark usage`: how many events merchants have sent in a month; of one merchant, each of its sites.
import type { Command } from 'commander';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { allItems } from './list-items.js';
import { monthOption } from './month.js';
import { formatCount, type Terminal } from './terminal.js';

interface Used {
  readonly events: number;
  readonly hiddenEvents: number;
  readonly droppedEvents: number;
}

interface MerchantUsage extends Used {
  readonly merchant: string;
  readonly month: string;
  readonly policy: string;
}

interface SiteUsage extends Used {
  readonly site: string;
  readonly domain: string | null;
}

interface UsageOptions extends ServerOptions {
  readonly merchant?: string;
  readonly month: string;
}

const PATH = '/v1/merchant/usage';

export function usageCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('usage')
      .description('how many events every merchant has sent in a month, or each site of one merchant')
      .option('--merchant <id>', 'the sites of this one')
      .option(...monthOption('the month', context)),
  ).action((options: UsageOptions) =>
    options.merchant === undefined
      ? ofMerchants(options, context)
      : ofSites({ ...options, merchant: options.merchant }, context),
  );
}

async function ofMerchants(options: UsageOptions, context: CommandContext): Promise<void> {
  const client = connect(context, options);
  const { month } = options;
  const all = await allItems<{ readonly id: string; readonly name: string }>(client, {
    path: '/admin/v1/merchants',
    field: 'merchants',
  });
  const merchants: (MerchantUsage & { readonly name: string })[] = [];
  for (const { id, name } of all) {
    const path = `${PATH}?${new URLSearchParams({ merchant: id, month, limit: '1' }).toString()}`;
    const { events, hiddenEvents, droppedEvents, policy } = await client.call<MerchantUsage>({
      ...{ method: 'GET', path },
    });
    merchants.push({ merchant: id, name, month, events, hiddenEvents, droppedEvents, policy });
  }
  if (options.json) {
    context.terminal.json({ month, merchants });
    return;
  }
  table(
    context.terminal,
    ['name', 'id'],
    merchants.map((one) => [[one.name, one.merchant], one]),
  );
}

async function ofSites(
  { merchant, month, ...options }: UsageOptions & { readonly merchant: string },
  context: CommandContext,
): Promise<void> {
  const sites = await allItems<SiteUsage>(connect(context, options), {
    ...{ path: PATH, field: 'sites', parameters: { merchant, month } },
  });
  if (options.json) {
    context.terminal.json({ merchant, month, sites });
    return;
  }
  table(
    context.terminal,
    ['domain', 'site'],
    sites.map((one) => [[one.domain ?? '(deleted)', one.site], one]),
  );
}

function table(
  terminal: Terminal,
  names: readonly string[],
  rows: readonly (readonly [named: readonly string[], used: Used])[],
): void {
  const right = (heading: string) => ({ heading, align: 'right' as const });
  terminal.table(
    [...names.map((heading) => ({ heading })), right('events'), right('hidden'), right('not kept')],
    rows.map(([named, { events, hiddenEvents, droppedEvents }]) => [
      ...named,
      ...[events, hiddenEvents, droppedEvents].map(formatCount),
    ]),
  );
}
