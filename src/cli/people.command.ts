// `tidemark people …`: the account of somebody who writes to the operator.
import type { Command } from 'commander';
import { type CommandContext, connect, type ServerOptions, withServer } from './command-context.js';
import { usageError } from './failure.js';

interface Account {
  readonly person: { readonly id: string; readonly email: string | null; readonly name: string | null };
  readonly merchants: readonly { readonly id: string; readonly name: string; readonly role: string }[];
}

const PATH = '/admin/v1/people';

export function peopleCommand(program: Command, context: CommandContext): void {
  const group = program.command('people').description('find and erase accounts');
  const EMAIL = ['<email>', 'the address of the account'] as const;
  withServer(
    group
      .command('find')
      .description('whose account it is, and what they belong to')
      .argument(...EMAIL),
  ).action((email: string, options: ServerOptions) => show(email, options, context));
  withServer(
    group
      .command('erase')
      .description('erase an account: name and address are lost wherever they are')
      .argument(...EMAIL)
      .option('--yes', 'that is meant'),
  ).action((email: string, options: ServerOptions & { yes?: true }) => erase(email, options, context));
}

const find = (email: string, options: ServerOptions, context: CommandContext): Promise<Account> =>
  connect(context, options).call<Account>({ method: 'POST', path: `${PATH}/lookup`, body: { email } });

async function show(email: string, options: ServerOptions, context: CommandContext): Promise<void> {
  const account = await find(email, options, context);
  if (options.json) {
    context.terminal.json(account);
    return;
  }
  const { person, merchants } = account;
  context.terminal.table(
    [{ heading: person.email ?? '' }, { heading: '' }],
    [
      ['id', person.id],
      ['name', person.name ?? ''],
      ...merchants.map(({ id, name, role }) => [role, `${name} (${id})`]),
    ],
  );
}

async function erase(
  email: string,
  options: ServerOptions & { yes?: true },
  context: CommandContext,
): Promise<void> {
  if (!options.yes)
    throw usageError(
      `Nothing brings the account of ${email} back once it is erased. If you are sure, add --yes.`,
    );
  const { person } = await find(email, options, context);
  await connect(context, options).call({ method: 'DELETE', path: `${PATH}/${person.id}` });
  if (options.json) context.terminal.json({ erased: person.id });
  else context.terminal.print(`${person.id} is erased.`);
}
