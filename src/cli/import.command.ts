// `tidemark import access-log FILE --site SITE`: opens the input, shows how far it is, prints the account.
import { createReadStream, statSync } from 'node:fs';
import type { Command } from 'commander';
import { type ImportAccount, importAccessLog, sum } from './access-log/import-access-log.js';
import { SKIP_REASONS } from './access-log/page-view.js';
import { ProgressBar } from './access-log/progress-bar.js';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { CliFailure } from './failure.js';
import { formatCount } from './terminal.js';

interface ImportAccessLogOptions extends ServerOptions {
  readonly site: string;
}

interface Site {
  readonly id: string;
  readonly domain: string;
}

const reasons = Object.entries(SKIP_REASONS)
  .map(([reason, meaning]) => `  ${reason.padEnd(11)} ${meaning}`)
  .join('\n');

const HELP = `
Reads the common and the combined log format, plain or gzipped, from FILE or (FILE being -) from standard
input, at any size. Of other compressions: zstd -dc access.log.zst | tidemark import access-log - --site …

A page view is a GET that was answered 2xx or 304 and that no reason below takes out. Every line is counted
once; a line has the first reason that holds:
${reasons}
Bots are imported and flagged: answers leave them out unless they are asked for.

Visitors are address and user agent, for one UTC day, under a keyed hash; addresses are not stored. Events
and visitors get the same ids whenever the same line is imported with the same API key: an import that was
stopped can be run again, and one that was finished too, without anything counting twice. Another API key
gives other visitors and would count everything again. Of identical lines each counts, as long as fewer than
16,384 other page views lie between them; should more, the later ones are taken for the first. A log knows whole
seconds: page views of one visitor in one second are set a millisecond apart, to keep their order.`;

export function importCommand(program: Command, context: CommandContext): void {
  const group = program.command('import').description('bring in history from elsewhere');
  withServer(
    group
      .command('access-log')
      .description("import the page views of a web server's access log")
      .argument('<file>', 'the log, or - for standard input')
      .requiredOption('--site <site>', 'id or domain of the site it belongs to')
      .addHelpText('after', HELP),
  ).action((file: string, options: ImportAccessLogOptions) => run(file, options, context));
}

async function run(file: string, options: ImportAccessLogOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const client = connect(context, options);
  const input = openInput(file, context);
  const site = await client.call<Site>({
    method: 'GET',
    path: `/v1/sites/${encodeURIComponent(options.site)}`,
  });
  // Without a key the server has just refused.
  if (client.key === undefined) throw new CliFailure('No key was given: see "tidemark --help".');
  const startedAt = context.now();
  const progress = new ProgressBar({
    stream: terminal.stderr,
    totalBytes: input.totalBytes,
    now: context.now,
  });
  const result = await importAccessLog(input.bytes(), {
    client,
    site,
    apiKey: client.key,
    sleep: context.sleep,
    onLines: (lines) => progress.update({ lines, bytesRead: input.bytesRead() }),
    onRetry: (reason) => {
      progress.clear();
      terminal.note(`${client.url}: ${reason}; trying again`);
    },
  });
  progress.clear();
  const { account } = result;
  const seconds = (context.now() - startedAt) / 1000;
  if (options.json) {
    terminal.json({ file, site: site.id, ...account, complete: result.outcome === 'complete', seconds });
  } else if (result.outcome === 'complete') {
    printAccount(account, { title: `${file} → ${site.domain}`, seconds, context });
  }
  if (result.outcome === 'stopped') throw new CliFailure(stoppedText(account, result.reason));
  if (account.lines > 0 && account.skipped.malformed === account.lines) {
    throw new CliFailure(
      `No line of ${file} is of the common or combined log format. Is it compressed otherwise?`,
    );
  }
}

interface Input {
  readonly totalBytes: number | undefined;
  readonly bytesRead: () => number;
  readonly bytes: () => AsyncIterable<Buffer>;
}

function openInput(file: string, context: CommandContext): Input {
  if (file === '-') return { totalBytes: undefined, bytesRead: () => 0, bytes: () => context.stdin };
  const size = sizeOf(file);
  const stream = createReadStream(file, { highWaterMark: 65_536 });
  // Reported by whoever reads; before that, nobody listens.
  stream.on('error', () => {});
  return { totalBytes: size, bytesRead: () => stream.bytesRead, bytes: () => stream };
}

/** Undefined for pipes and devices. */
function sizeOf(file: string): number | undefined {
  try {
    const stats = statSync(file);
    if (stats.isDirectory()) throw new CliFailure(`${file} is a directory: name one file.`);
    return stats.isFile() ? stats.size : undefined;
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    throw new CliFailure(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function stoppedText(account: ImportAccount, reason: string): string {
  return `${reason}
Stopped after ${formatCount(account.lines)} lines; the server has ${formatCount(account.imported + account.duplicates)} page views of them.
Run the same command again: what is there already will not count twice.`;
}

interface AccountOptions {
  readonly title: string;
  readonly seconds: number;
  readonly context: CommandContext;
}

function printAccount(account: ImportAccount, { title, seconds, context }: AccountOptions): void {
  const { terminal } = context;
  const rate = formatCount(Math.round(account.lines / Math.max(seconds, 0.001)));
  terminal.heading(title);
  const rows: string[][] = [
    ['lines', formatCount(account.lines), `${seconds.toFixed(1)} s, ${rate} lines/s`],
    ['page views imported', formatCount(account.imported), periodText(account)],
    ['duplicates', formatCount(account.duplicates), 'sent before'],
    ['rejected', formatCount(sum(account.rejected)), ''],
    ...detailRows(account.rejected),
    ['skipped', formatCount(sum(account.skipped)), 'not page views'],
    ...detailRows(account.skipped, SKIP_REASONS),
  ];
  terminal.table([{ heading: '' }, { heading: '', align: 'right' }, { heading: '' }], rows);
  if (account.bots > 0) {
    terminal.print(
      `${formatCount(account.bots)} of the page views are by bots: flagged, and left out of answers unless asked for.`,
    );
  }
}

const periodText = ({ firstDay, lastDay }: ImportAccount): string =>
  firstDay === null ? '' : `${firstDay} to ${lastDay}`;

const detailRows = (
  counts: Readonly<Record<string, number>>,
  meanings: Readonly<Record<string, string>> = {},
): string[][] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => [`  ${reason}`, formatCount(count), meanings[reason] ?? '']);
