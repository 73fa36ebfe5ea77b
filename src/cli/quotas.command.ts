// `tidemark quotas …`: how many events a merchant may send in a month, and what becomes of those beyond it.
import type { Command } from 'commander';
import { type ApiClient, isSuccess } from './api-client.js';
import {
  type CommandContext,
  connect,
  type ServerOptions,
  wholeNumberFrom,
  withServer,
} from './command-context.js';
import { CliFailure, usageError } from './failure.js';
import { monthOption } from './month.js';
import { formatCount, type Terminal } from './terminal.js';

const POLICIES = ['refuse', 'hide', 'sample'] as const;
type Policy = (typeof POLICIES)[number];

const EVENTS_MAX = 1_000_000_000_000;
const UNLIMITED = 'unlimited';

interface Quota {
  readonly merchant: string;
  readonly eventsPerMonth: number | null;
  readonly gracePercent: number;
  readonly policy: Policy;
  readonly samplePercent: number;
  readonly isDefault: boolean;
  readonly month: string;
  readonly usedEvents: number;
  readonly hiddenEvents: number;
  readonly droppedEvents: number;
  readonly isOver: boolean;
  readonly excesses: readonly {
    readonly policy: Policy;
    readonly from: string;
    readonly to: string;
    readonly samplePercent: number | null;
  }[];
}

interface QuotaOptions extends ServerOptions {
  readonly grace?: number;
  readonly policy?: Policy;
  readonly sample?: number;
}

interface RevealOptions extends ServerOptions {
  readonly month: string;
}

export function quotasCommand(program: Command, context: CommandContext): void {
  const group = program
    .command('quotas')
    .description('show, set and take back how many events a merchant may send in a month');
  const command = (name: string, description: string) =>
    withServer(group.command(name).description(description).argument('<merchant>', "the merchant's id"));
  command('show', "a merchant's quota, and what it has used of it this month").action(
    async (merchant: string, options: ServerOptions) =>
      show(
        await connect(context, options).call<Quota>({ method: 'GET', path: pathOf(merchant) }),
        options,
        context.terminal,
      ),
  );
  command('set', 'set a quota; holds from now on, in this month, too')
    .argument('<events>', `events in a month of UTC, of all sites together; or ${UNLIMITED}`, eventsOf)
    .option('--grace <percent>', 'how much more is taken, in percent (default: 0)', wholeNumberFrom(0, 1_000))
    .option('--policy <policy>', `what becomes of events beyond: ${POLICIES.join(', ')}`, policyOf)
    .option('--sample <percent>', 'share of the visitors that `sample` keeps', wholeNumberFrom(1, 99))
    .action((merchant: string, eventsPerMonth: number | null, options: QuotaOptions) => {
      const { grace: gracePercent, policy, sample: samplePercent } = options;
      return put(merchant, { eventsPerMonth, gracePercent, policy, samplePercent }, { options, context });
    });
  command('policy', 'change what becomes of events beyond the quota that was set, and nothing else')
    .argument('<policy>', POLICIES.join(', '), policyOf)
    .option('--sample <percent>', 'share of the visitors that `sample` keeps', wholeNumberFrom(1, 99))
    .action((merchant: string, policy: Policy, options: QuotaOptions) =>
      changePolicy({ merchant, policy }, options, context),
    );
  command('remove', "take a merchant's own quota back: the installation's default holds again").action(
    async (merchant: string, options: ServerOptions) =>
      show(
        await connect(context, options).call<Quota>({ method: 'DELETE', path: pathOf(merchant) }),
        options,
        context.terminal,
      ),
  );
  command('reveal', 'show what was hidden of a month, and hide nothing more of it')
    .option(...monthOption('the month', context))
    .action((merchant: string, options: RevealOptions) => reveal(merchant, options, context));
}

const pathOf = (merchant: string): string => `/admin/v1/merchants/${encodeURIComponent(merchant)}/quota`;

function eventsOf(text: string): number | null {
  return text === UNLIMITED ? null : wholeNumberFrom(0, EVENTS_MAX)(text);
}

function policyOf(text: string): Policy {
  const known = POLICIES.find((policy) => policy === text);
  if (known === undefined) throw usageError(`"${text}" is not one of ${POLICIES.join(', ')}.`);
  return known;
}

type Wish = Partial<Pick<Quota, 'eventsPerMonth' | 'gracePercent' | 'policy' | 'samplePercent'>>;

interface Running {
  readonly options: ServerOptions;
  readonly context: CommandContext;
  /** As the quota was read. */
  readonly ifMatch?: string;
}

async function put(merchant: string, body: Wish, { options, context, ifMatch }: Running): Promise<void> {
  const client = connect(context, options);
  const set = await client.call<Quota>(
    { method: 'PUT', path: pathOf(merchant), body, ifMatch },
    'Somebody has changed it meanwhile: look at it again.',
  );
  show(set, options, context.terminal);
}

async function changePolicy(
  { merchant, policy }: { readonly merchant: string; readonly policy: Policy },
  options: QuotaOptions,
  context: CommandContext,
): Promise<void> {
  const { quota, ifMatch } = await read(connect(context, options), merchant);
  if (quota.isDefault) {
    throw new CliFailure(
      `${merchant} has no quota of its own. Set one: tidemark quotas set ${merchant} <events> --policy ${policy}`,
    );
  }
  const { eventsPerMonth, gracePercent } = quota;
  const samplePercent = options.sample ?? quota.samplePercent;
  await put(merchant, { eventsPerMonth, gracePercent, policy, samplePercent }, { options, context, ifMatch });
}

async function read(client: ApiClient, merchant: string) {
  const reply = await client.send({ method: 'GET', path: pathOf(merchant) });
  if (reply.outcome !== 'answered' || !isSuccess(reply.status)) throw new CliFailure(client.explain(reply));
  return { quota: reply.body as Quota, ifMatch: reply.headers.get('etag') ?? undefined };
}

async function reveal(merchant: string, options: RevealOptions, context: CommandContext): Promise<void> {
  const { month } = options;
  const quota = await connect(context, options).call<Quota>({
    method: 'POST',
    path: `${pathOf(merchant)}/reveal`,
    body: { month },
  });
  if (options.json) context.terminal.json(quota);
  else context.terminal.print(`Nothing of ${month} is hidden any more.`);
}

function show(quota: Quota, options: ServerOptions, terminal: Terminal): void {
  if (options.json) {
    terminal.json(quota);
    return;
  }
  const { eventsPerMonth, gracePercent, policy, samplePercent, isDefault, month, usedEvents, isOver } = quota;
  const { hiddenEvents, droppedEvents, excesses } = quota;
  const share = (percent: number) => `${percent} % of the visitors`;
  terminal.table(
    [{ heading: quota.merchant }, { heading: '' }],
    [
      ['events a month', eventsPerMonth === null ? UNLIMITED : formatCount(eventsPerMonth)],
      ...(isDefault ? [['set by', "the installation's default"]] : []),
      ...(gracePercent > 0 ? [['grace', `${gracePercent} %`]] : []),
      ['beyond it', policy === 'sample' ? `sample (${share(samplePercent)})` : policy],
      [`used in ${month}`, `${formatCount(usedEvents)}${isOver ? ', which is all of it' : ''}`],
      ...(hiddenEvents > 0 ? [['of these hidden', formatCount(hiddenEvents)]] : []),
      ...(droppedEvents > 0 ? [['not kept', formatCount(droppedEvents)]] : []),
      ...excesses.map(({ policy: held, from, to, samplePercent: percent }) => [
        held === 'hide' ? 'hidden' : `only ${share(percent!)}`,
        `${from} to ${to}`,
      ]),
    ],
  );
}
