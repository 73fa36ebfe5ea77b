// `tidemark audit`: who did what, and when. The server tells it from the beginning; here the end is what
// people look for, so the last entries are kept and shown.
import type { Command } from 'commander';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { pagesOf } from './list-items.js';

interface AuditEntry {
  readonly at: string;
  readonly by: string | null;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface AuditOptions extends ServerOptions {
  readonly stream?: string;
  readonly last: number;
}

export function auditCommand(program: Command, context: CommandContext): void {
  withServer(
    program
      .command('audit')
      .description('who did what, and when; the newest last')
      .option('--stream <stream>', 'only of this one, such as site-s7Gk2mQx9RtP or key-k3Hn8vBw2LzD')
      .option('--last <entries>', 'how many of the newest', wholeNumberFrom(1, 100_000), 100),
  ).action((options: AuditOptions) => run(options, context));
}

async function run(options: AuditOptions, context: CommandContext): Promise<void> {
  const list = { path: '/admin/v1/audit', field: 'entries', parameters: { stream: options.stream } };
  let entries: AuditEntry[] = [];
  for await (const page of pagesOf<AuditEntry>(connect(context, options), list)) {
    entries = [...entries, ...page].slice(-options.last);
  }
  if (options.json) {
    context.terminal.json({ entries });
    return;
  }
  context.terminal.table(
    ['when', 'who', 'what', 'to', 'with'].map((heading) => ({ heading })),
    entries.map(({ at, by, type, stream, data }) => [
      ...[at.slice(0, 19).replace('T', ' '), by ?? '', type, stream],
      Object.entries(data)
        .map(([field, value]) => `${field}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' '),
    ]),
  );
}
