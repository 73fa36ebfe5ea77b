// `tidemark query`: one report as a table with bars, or as the server's own JSON.
import type { Command } from 'commander';
import {
  commaList,
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { filtersOf } from './filters.js';
import { bar, type Column, type Terminal } from './terminal.js';

interface QueryOptions extends ServerOptions {
  readonly site: string;
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  readonly dateRange: string;
  readonly filter?: string;
  readonly limit: number;
  readonly bots?: true;
}

interface QueryAnswer {
  readonly results: readonly {
    readonly dimensions: readonly (string | number | null)[];
    readonly metrics: readonly (number | null)[];
  }[];
  readonly meta?: { readonly watermark?: string | null; readonly lag_ms?: number | null };
}

const HELP = `
Examples:
  tidemark query --site shop.example --date-range 7d --dimensions time:day
  tidemark query --site shop.example --metrics pageviews,visitors --dimensions event:page --limit 10
  tidemark query --site shop.example --filter '["is","visit:country",["DE","AT"]]'`;

export function queryCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('query')
      .description('ask for numbers')
      .requiredOption('--site <site>', 'id or domain')
      .option('--metrics <list>', 'comma list', commaList, ['visitors', 'visits', 'pageviews'])
      .option('--dimensions <list>', 'comma list, such as time:day or event:page', commaList, [])
      .option('--date-range <range>', 'day, 7d, 30d, month, 12mo, year, all, … or two dates: FROM,TO', '30d')
      .option('--filter <json>', 'one filter or a list of filters')
      .option('--limit <rows>', 'rows at most', wholeNumberFrom(1, 10_000), 100)
      .option('--bots', 'count bots too')
      .addHelpText('after', HELP),
  ).action((options: QueryOptions) => run(options, context));
}

async function run(options: QueryOptions, context: CommandContext): Promise<void> {
  const range = commaList(options.dateRange);
  const filters = filtersOf(options.filter);
  const answer = await connect(context, options).call<QueryAnswer>({
    method: 'POST',
    path: `/v1/sites/${encodeURIComponent(options.site)}/query`,
    body: {
      metrics: options.metrics,
      dimensions: options.dimensions,
      date_range: range.length === 2 ? range : options.dateRange,
      ...(filters && { filters }),
      ...(options.bots && { include: { bots: true } }),
      pagination: { limit: options.limit, offset: 0 },
    },
  });
  if (options.json) context.terminal.json(answer);
  else printAnswer(answer, options, context.terminal);
}

function printAnswer(answer: QueryAnswer, options: QueryOptions, terminal: Terminal): void {
  const max = Math.max(0, ...answer.results.map(({ metrics }) => metrics[0] ?? 0));
  const withBars = options.dimensions.length > 0;
  const columns: Column[] = [
    ...options.dimensions.map((heading) => ({ heading })),
    ...options.metrics.map((heading) => ({ heading, align: 'right' as const })),
    ...(withBars ? [{ heading: '' }] : []),
  ];
  const rows = answer.results.map(({ dimensions, metrics }) => [
    ...dimensions.map((value) => (value === null ? '(not set)' : String(value))),
    ...metrics.map((value) => (value === null ? '–' : value.toLocaleString('en-US'))),
    ...(withBars ? [bar(metrics[0] ?? 0, max)] : []),
  ]);
  terminal.table(columns, rows);
  if (rows.length === 0) terminal.note('No rows: nothing was counted in this range. Is it the right one?');
  if (answer.meta?.watermark) terminal.note(`complete up to ${answer.meta.watermark}`);
}
