// `tidemark compare`: what differs between two versions of the read models, for people and, by the exit
// code, for scripts.
import { type Command, Option } from 'commander';
import type { ApiClient } from './api-client.js';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { NegativeOutcome, usageError } from './failure.js';
import {
  ALL_TOGETHER,
  type Comparison,
  DEFAULT_PROJECTION,
  type Difference,
  projectionPath,
  VERSION_MAX,
} from './rebuilding/api-answers.js';
import { dayOf } from './rebuilding/day.js';
import { type Column, formatCount, type Terminal } from './terminal.js';

const ROWS_MAX = 10_000;
const ROWS_USUAL = 20;
const PAGE_ROWS_MAX = 1_000;
/** Longer than the server allows itself at most: it says better why it gave up. */
const TIMEOUT_MS = 630_000;

interface CompareOptions extends ServerOptions {
  readonly a?: number;
  readonly b?: number;
  readonly site?: string;
  readonly from?: string;
  readonly to?: string;
  readonly tolerance?: string;
  readonly limit: number;
}

const HELP = `
Totals of both versions, then the sites, days and metrics that differ, the largest difference first.

Exit codes: 0 when nothing differs beyond the tolerance, 1 when something does (or it could not be found out), 2
wrong usage.

${ALL_TOGETHER}
Each has tables of its own all the same, and is compared by its name.

Examples:
  tidemark compare
  tidemark compare traffic --tolerance 0.5%
  tidemark compare --a 1 --b 2 --site shop.example --from 2026-11-01 --to 2026-11-20 --limit 100`;

export function compareCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('compare')
      .description('what differs between two versions of the read models')
      .argument('[projection]', 'whose tables', DEFAULT_PROJECTION)
      .addOption(new Option('--a <version>', 'the one (default: the one that serves)').argParser(versionOf))
      .addOption(
        new Option('--b <version>', 'the other (default: the newest beside it)').argParser(versionOf),
      )
      .option('--site <site>', 'only this site, by id or domain')
      .option('--from <day>', 'only from this day on, YYYY-MM-DD', dayOf)
      .option('--to <day>', 'only up to this day, YYYY-MM-DD, included', dayOf)
      .option('--tolerance <amount>', 'what differs by no more is left out: 10, or 0.5%', toleranceOf)
      .option('--limit <rows>', 'differences at most', wholeNumberFrom(1, ROWS_MAX), ROWS_USUAL)
      .addHelpText('after', HELP),
  ).action((projection: string, options: CompareOptions) => run(projection, options, context));
}

const versionOf = wholeNumberFrom(1, VERSION_MAX);

function toleranceOf(text: string): string {
  if (/^\d+(\.\d+)?%?$/.test(text)) return text;
  throw usageError(`"${text}" is neither an amount such as 10 nor a share such as 0.5%.`);
}

async function run(projection: string, options: CompareOptions, context: CommandContext): Promise<void> {
  const comparison = await compared(connect(context, options), projection, options);
  if (options.json) context.terminal.json(comparison);
  else print(comparison, context.terminal);
  if (!comparison.within) {
    throw new NegativeOutcome(`Versions ${comparison.a} and ${comparison.b} differ.`);
  }
}

/** As many differences as were asked for, page by page. */
async function compared(
  client: ApiClient,
  projection: string,
  { limit, a, b, site, from, to, tolerance }: CompareOptions,
): Promise<Comparison> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ a, b, site, from, to, tolerance })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const differences: Comparison['differences'][number][] = [];
  for (;;) {
    parameters.set('limit', String(Math.min(limit - differences.length, PAGE_ROWS_MAX)));
    const page = await client.call<Comparison>({
      method: 'GET',
      path: `${projectionPath(projection)}/compare?${parameters.toString()}`,
      timeoutMs: TIMEOUT_MS,
    });
    differences.push(...page.differences);
    if (page.next_cursor === null || differences.length >= limit) return { ...page, differences };
    parameters.set('cursor', page.next_cursor);
  }
}

function print(comparison: Comparison, terminal: Terminal): void {
  const { a, b, tolerance, totals, differences, days } = comparison;
  const columns: Column[] = [
    { heading: 'metric' },
    ...[`version ${a}`, `version ${b}`, 'difference', ''].map((heading) => ({
      heading,
      align: 'right' as const,
    })),
  ];
  terminal.table(columns, totals.map(rowOf));
  terminal.print();
  if (differences.length === 0) {
    terminal.print(tolerance === '0' ? 'Nothing differs.' : `Nothing differs by more than ${tolerance}.`);
  } else {
    terminal.table(
      [{ heading: 'site' }, { heading: days === 'utc' ? 'day (UTC)' : 'day' }, ...columns],
      differences.map((difference) => [difference.site, difference.date, ...rowOf(difference)]),
    );
  }
  for (const line of remarks(comparison)) terminal.note(line);
}

function remarks({
  differences,
  differences_total: total,
  positions_differ: positionsDiffer,
  sites,
  columns_not_compared: columns,
}: Comparison): string[] {
  return [
    ...(total > differences.length
      ? [`${formatCount(differences.length)} of ${formatCount(total)} differences: --limit shows more.`]
      : []),
    ...(sites === null ? [] : [`Compared are the sites that both versions hold: ${sites.join(', ')}.`]),
    ...(positionsDiffer
      ? ['One version has read more of the log than the other: the newest days may differ by that.']
      : []),
    ...(columns.length > 0 ? [`Not compared, as only one version has them: ${columns.join(', ')}.`] : []),
  ];
}

const rowOf = ({ metric, a, b, difference }: Difference): string[] => [
  metric,
  formatCount(a),
  formatCount(b),
  `${signOf(difference)}${formatCount(difference)}`,
  a === 0 || difference === 0 ? '' : `${signOf(difference)}${((difference / a) * 100).toFixed(1)} %`,
];

const signOf = (difference: number): string => (difference > 0 ? '+' : '');
