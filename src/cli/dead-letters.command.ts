// `tidemark dead-letters …`: what the projector had to pass over, and what is to become of it. Replaying
// and deleting are requests that a projector carries out, mostly at once.
import type { Command } from 'commander';
import type { ApiClient } from './api-client.js';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { CliFailure, usageError } from './failure.js';
import { pagesOf } from './list-items.js';
import { formatCount } from './terminal.js';

const PATH = '/admin/v1/dead-letters';
const LISTED_MAX = 10_000;
const LISTED = 100;

interface Letter {
  readonly id: string;
  readonly projection: string;
  readonly version: number;
  readonly partition: number;
  readonly position: string;
  readonly events: number;
  readonly site: string | null;
  readonly eventId: string | null;
  readonly error: string;
  readonly failedAt: string;
}

interface FilterOptions extends ServerOptions {
  readonly projection?: string;
  readonly site?: string;
}

interface DecideOptions extends FilterOptions {
  readonly all?: true;
  readonly yes?: true;
}

interface Decision {
  readonly method: 'POST' | 'DELETE';
  readonly path: (id: string) => string;
  readonly past: 'replayed' | 'deleted';
}

const REPLAY: Decision = { method: 'POST', path: (id) => `${pathOf(id)}/replay`, past: 'replayed' };
const DELETE: Decision = { method: 'DELETE', path: pathOf, past: 'deleted' };

const HELP = `
A replay appends the events to the log again; what was counted after all is not counted twice, and what
fails again is listed again. Where very many failed, a rebuild is faster.`;

export function deadLettersCommand(program: Command, context: CommandContext): void {
  const group = program
    .command('dead-letters')
    .description('list, show, replay and delete events that could not be counted')
    .addHelpText('after', HELP);
  withFilter(
    group
      .command('list', { isDefault: true })
      .description('the newest first; this is what the bare command does')
      .option('--limit <letters>', 'letters at most', wholeNumberFrom(1, LISTED_MAX), LISTED),
  ).action((options: FilterOptions & { limit: number }) => list(options, context));
  withServer(group.command('show').description('one with its event').argument('<id>', 'as listed')).action(
    (id: string, options: ServerOptions) => show(id, options, context),
  );
  withFilter(
    group
      .command('replay')
      .description('append the events of one, or of all, to the log again')
      .argument('[id]', 'as listed')
      .option('--all', 'every letter, or those of --projection and --site'),
  ).action((id: string | undefined, options: DecideOptions) => decide(REPLAY, { id, options, context }));
  withFilter(
    group
      .command('delete')
      .description('delete one, or all: their events stay uncounted, and in the log')
      .argument('[id]', 'as listed')
      .option('--all', 'every letter, or those of --projection and --site')
      .option('--yes', 'really delete: nothing brings a letter back'),
  ).action((id: string | undefined, options: DecideOptions) => {
    if (!options.yes) throw usageError('Nothing brings a dead letter back. If you are sure, add --yes.');
    return decide(DELETE, { id, options, context });
  });
}

const withFilter = (command: Command): Command =>
  withServer(command)
    .option('--projection <name>', 'only of this projection')
    .option('--site <site>', 'only of this site: id or domain');

function pathOf(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}

const listOf = ({ projection, site }: FilterOptions) => ({
  path: PATH,
  field: 'deadLetters',
  parameters: { projection, site },
});

async function list(options: FilterOptions & { limit: number }, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const letters: Letter[] = [];
  for await (const page of pagesOf<Letter>(connect(context, options), listOf(options))) {
    letters.push(...page);
    // One more than is shown tells that there are more.
    if (letters.length > options.limit) break;
  }
  const shown = letters.slice(0, options.limit);
  if (options.json) {
    terminal.json({ deadLetters: shown, more: letters.length > shown.length });
    return;
  }
  if (shown.length === 0) {
    terminal.note('There are no dead letters.');
    return;
  }
  terminal.table(
    ['failed', 'site', 'events', 'why', 'id'].map((heading) => ({ heading })),
    shown.map(({ failedAt, site, events, error, id }) => [
      ...[failedAt.slice(0, 19).replace('T', ' '), site ?? '', String(events)],
      ...[error.length > 60 ? `${error.slice(0, 59)}…` : error, id],
    ]),
  );
  if (letters.length > shown.length) terminal.note(`There are more: --limit takes up to ${LISTED_MAX}.`);
}

async function show(id: string, options: ServerOptions, context: CommandContext): Promise<void> {
  const letter = await connect(context, options).call<Letter & { event: unknown }>({
    method: 'GET',
    path: pathOf(id),
  });
  // An event has many shapes: JSON is how people read it, too.
  context.terminal.json(letter);
}

interface Deciding {
  readonly id: string | undefined;
  readonly options: DecideOptions;
  readonly context: CommandContext;
}

interface Account {
  done: number;
  /** A projector will do it. */
  requested: number;
  readonly refused: { readonly id: string; readonly reason: string }[];
}

async function decide(decision: Decision, { id, options, context }: Deciding): Promise<void> {
  if ((id === undefined) === (options.all === undefined)) {
    throw usageError('Name one letter, or give --all.');
  }
  const client = connect(context, options);
  if (id !== undefined) {
    const { done } = await client.call<{ done: boolean }>({
      method: decision.method,
      path: decision.path(id),
    });
    if (options.json) context.terminal.json({ id, done });
    else
      context.terminal.print(done ? `${id} is ${decision.past}.` : `${id} will be ${decision.past}${LATER}`);
    return;
  }
  const account: Account = { done: 0, requested: 0, refused: [] };
  try {
    for await (const page of pagesOf<Letter>(client, listOf(options))) {
      for (const letter of page) await decideOne(client, { decision, id: letter.id, account });
    }
  } finally {
    report(account, decision, { options, context });
  }
  if (account.refused.length > 0) {
    throw new CliFailure(`${formatCount(account.refused.length)} could not be ${decision.past}.`);
  }
}

const LATER = ' as soon as a projector can: the log may be away, or no projector runs.';

async function decideOne(
  client: ApiClient,
  { decision, id, account }: { decision: Decision; id: string; account: Account },
): Promise<void> {
  const reply = await client.send({ method: decision.method, path: decision.path(id) });
  if (reply.outcome === 'answered') {
    if (reply.status === 202) {
      if ((reply.body as { done: boolean }).done) account.done++;
      else account.requested++;
      return;
    }
    // Somebody else was faster.
    if (reply.status === 404) return;
    if (reply.status === 409) {
      account.refused.push({ id, reason: client.explain(reply) });
      return;
    }
  }
  throw new CliFailure(`${client.explain(reply)}\nRun the same command again: it goes on where it stopped.`);
}

function report(
  { done, requested, refused }: Account,
  { past }: Decision,
  { options, context: { terminal } }: Pick<Deciding, 'options' | 'context'>,
): void {
  if (options.json) {
    terminal.json({ [past]: done, requested, refused });
    return;
  }
  terminal.print(`${formatCount(done)} ${past}.`);
  if (requested > 0) terminal.print(`${formatCount(requested)} will be ${past}${LATER}`);
  for (const { id, reason } of refused) terminal.note(`${id}: ${reason}`);
}
