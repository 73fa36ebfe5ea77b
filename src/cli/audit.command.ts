// `tidemark audit`: who did what, when and from where. Shows the newest entries that match, or fetches all of them
// as a file.
import { type Command, Option } from 'commander';
import type { ApiClient } from './api-client.js';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { fetchFile } from './exporting/fetch-file.js';
import { usageError } from './failure.js';
import { pagesOf } from './list-items.js';

interface AuditEntry {
  readonly at: string;
  readonly by: string | null;
  readonly email: string | null;
  readonly country: string | null;
  readonly client: string | null;
  readonly stream: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface AuditOptions extends ServerOptions {
  readonly by?: string;
  readonly kind?: string;
  readonly type?: string;
  readonly stream?: string;
  readonly site?: string;
  readonly merchant?: string;
  readonly own?: true;
  readonly since?: string;
  readonly until?: string;
  readonly last: number;
  readonly order: 'oldest' | 'newest';
  readonly format?: 'ndjson' | 'csv';
  readonly output?: string;
}

const HELP = `
Without --format: the newest entries that match, as a table. With it: all of them, as a file, or on standard output.
What the types are called, and what is told of each: docs/reference/audit.md.

Examples:
  tidemark audit --by olga@shop.example --since 2026-11-01
  tidemark audit --type KeyIssued,KeyRevoked --last 20 --order newest
  tidemark audit --merchant m7Gk2mQx9RtP --format csv --output audit.csv
  tidemark audit --own --key-file admin.key`;

export function auditCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('audit')
      .description('who did what, when and from where')
      .option(
        '--by <whom>',
        'only what they did: e-mail address or id of an account, id or prefix of a key, operator',
      )
      .option('--kind <kind>', 'only what such callers did: account, key, operator, link or system')
      .option('--type <types>', 'only such events, with commas between them')
      .option('--stream <stream>', 'only of this one, such as site-s7Gk2mQx9RtP or key-k3Hn8vBw2LzD')
      .option('--site <id>', 'only what concerns this site, deleted or not')
      .option('--merchant <id>', 'only what concerns this merchant')
      .option('--own', 'as the merchant sees it whose key this is, or --merchant')
      .option('--since <time>', 'not before: a day (UTC) or an ISO 8601 time', time)
      .option('--until <time>', 'before: a day (UTC) or an ISO 8601 time', time)
      .option('--last <entries>', 'how many of the newest', wholeNumberFrom(1, 100_000), 100)
      .addOption(
        new Option('--order <first>', 'which come first').choices(['oldest', 'newest']).default('oldest'),
      )
      .addOption(new Option('--format <format>', 'all that match, as a file').choices(['ndjson', 'csv']))
      .option('--output <file>', 'into which to write it (default: standard output)')
      .addHelpText('after', HELP),
  ).action((options: AuditOptions) => run(options, context));
}

async function run(options: AuditOptions, context: CommandContext): Promise<void> {
  const { format, output, order } = options;
  if (output !== undefined && format === undefined)
    throw usageError('--output needs --format: ndjson or csv.');
  const client = connect(context, options);
  const path = options.own ? '/v1/merchant/audit' : '/admin/v1/audit';
  if (format === undefined) return show(client, path, { options, context });
  const query = new URLSearchParams({ ...parametersOf(options), order, format });
  await context.interruptible((signal) =>
    fetchFile(`${path}/export?${query.toString()}`, { client, context, output, signal }),
  );
}

interface Shown {
  readonly options: AuditOptions;
  readonly context: CommandContext;
}

async function show(client: ApiClient, path: string, { options, context }: Shown): Promise<void> {
  const { terminal } = context;
  let upToDate = true;
  const list = {
    ...{ path, field: 'entries', parameters: { ...parametersOf(options), order: 'newest' } },
    beside: (answer: Readonly<Record<string, unknown>>) => (upToDate &&= answer['up_to_date'] !== false),
  };
  const entries: AuditEntry[] = [];
  for await (const page of pagesOf<AuditEntry>(client, list)) {
    entries.push(...page.slice(0, options.last - entries.length));
    if (entries.length === options.last) break;
  }
  if (options.order === 'oldest') entries.reverse();
  if (!upToDate) terminal.note('The trail is being brought up to date: the newest entries may be missing.');
  if (options.json) {
    terminal.json({ entries, up_to_date: upToDate });
    return;
  }
  terminal.table(
    ['when', 'who', 'from', 'what', 'to', 'with'].map((heading) => ({ heading })),
    entries.map(rowOf),
  );
}

const rowOf = ({ at, by, email, country, client, type, stream, data }: AuditEntry): string[] => [
  at.slice(0, 19).replace('T', ' '),
  email ?? by ?? '',
  [country, client].filter(Boolean).join(', '),
  ...[type, stream],
  Object.entries(data)
    .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' '),
];

function parametersOf(options: AuditOptions): Record<string, string> {
  const { by, kind, type, stream, site, merchant, since, until } = options;
  const given = { by, kind, type, stream, site, merchant, since, until };
  return Object.fromEntries(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

/** A commander option parser. */
function time(text: string): string {
  if (Number.isNaN(Date.parse(text))) {
    throw usageError(
      `"${text}" is neither a day such as 2026-11-21 nor a time such as 2026-11-21T10:00:00Z.`,
    );
  }
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
}
