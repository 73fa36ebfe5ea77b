// `tidemark export <site>`: makes an export, waits for it, and fetches the file.
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  commaList,
  type CommandContext,
  connect,
  type ServerOptions,
  withServer,
} from './command-context.js';
import { downloadResult } from './exporting/download.js';
import type { ExportJob, FinishedExport } from './exporting/export-job.js';
import { followJob } from './exporting/follow-job.js';
import { ProgressLine } from './exporting/progress-line.js';
import { CliFailure } from './failure.js';
import { filtersOf } from './filters.js';
import { formatCount } from './terminal.js';

interface ExportOptions extends ServerOptions {
  readonly what: 'events' | 'sessions';
  readonly format: 'ndjson' | 'parquet';
  readonly dateRange: string;
  readonly filter?: string;
  readonly bots?: true;
  readonly output?: string;
  readonly job?: string;
}

const HELP = `
The server makes the file as a job, which goes on whatever becomes of this command: Ctrl-C ends the waiting only, and
--job fetches the result later, for as long as it is kept. A download that breaks off goes on where it stopped;
until it is whole and its digest is right, it is called FILE.part. What the columns mean: docs/reference/exports.md.

With --json: one document at the end, with the file's name, size, rows and digest.

Examples:
  tidemark export shop.example --date-range 2026-11-01,2026-11-14
  tidemark export shop.example --what sessions --format parquet --date-range 12mo --output sessions.parquet
  tidemark export shop.example --filter '["is","event:name",["Purchase"]]' --date-range month
  tidemark export shop.example --job j7Gk2mQx9RtP`;

export function exportCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('export')
      .description('fetch events or sessions as a file')
      .argument('<site>', 'id or domain')
      .addOption(new Option('--what <rows>', 'a row each').choices(['events', 'sessions']).default('events'))
      .addOption(
        new Option('--format <format>', 'of the file').choices(['ndjson', 'parquet']).default('ndjson'),
      )
      .option('--date-range <range>', 'day, 7d, 30d, month, 12mo, year, all, … or two dates: FROM,TO', '30d')
      .option('--filter <json>', 'one filter or a list of filters')
      .option('--bots', 'bots too')
      .option('--output <file>', 'name of the file (default: of the site, what it holds, and the job)')
      .option('--job <id>', 'fetch what an earlier export made')
      .addHelpText('after', HELP),
  ).action((site: string, options: ExportOptions) => run(site, options, context));
}

async function run(site: string, options: ExportOptions, context: CommandContext): Promise<void> {
  const client = connect(context, options);
  const { terminal } = context;
  if (options.output !== undefined) refuseExisting(options.output);
  const id = options.job ?? (await client.call<ExportJob>(exportRequest(site, options))).id;
  const line = new ProgressLine({ terminal, json: options.json ?? false, now: context.now });
  const { job, file } = await context.interruptible(async (signal) => {
    const job = await followJob(id, { site, client, context, line, signal });
    const file = options.output ?? fileName(site, job);
    refuseExisting(file);
    await downloadResult({ job, file, client, context, line, signal });
    return { job, file };
  });
  line.clear();
  const { bytes, rows, sha256, changed_meanwhile: changed } = job.result;
  if (options.json) {
    terminal.json({ file, job: job.id, bytes, rows, sha256, changed_meanwhile: changed ?? null });
    return;
  }
  terminal.print(`${file}: ${formatCount(rows)} rows, ${formatCount(bytes)} bytes`);
  if (changed)
    terminal.note('Some sessions changed while the file was made: it may hold some twice, or miss some.');
}

const exportRequest = (site: string, { what, format, dateRange, filter, bots }: ExportOptions) => {
  const range = commaList(dateRange);
  const filters = filtersOf(filter);
  return {
    method: 'POST' as const,
    path: `/v1/sites/${encodeURIComponent(site)}/exports`,
    body: {
      ...{ what, format, date_range: range.length === 2 ? range : dateRange },
      ...(filters && { filters }),
      ...(bots && { include: { bots: true } }),
    },
  };
};

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new CliFailure(`${file} is there already: name another with --output.`);
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/x-ndjson': 'ndjson',
  'application/vnd.apache.parquet': 'parquet',
  'application/json': 'json',
  'text/csv': 'csv',
};

/** Without anything that a file system would take for a path. */
function fileName(site: string, { id, result }: FinishedExport): string {
  const extension = EXTENSIONS[result.content_type.split(';')[0]!] ?? 'bin';
  return `${site.replaceAll(/[^\w.-]/g, '_')}-${id}.${extension}`;
}
