// The command line as a whole: every command in one list, and how a run ends. `runCli` never throws and
// never exits the process; it returns the exit code (0 done, 1 failed, 2 wrong usage).
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/config.js';
import { auditCommand } from './audit.command.js';
import type { CommandContext } from './command-context.js';
import { compareCommand } from './compare.command.js';
import { configCommand } from './config.command.js';
import { deadLettersCommand } from './dead-letters.command.js';
import { doctorCommand } from './doctor.command.js';
import { exportCommand } from './export.command.js';
import { CliFailure, EXIT_FAILED, EXIT_USAGE, NegativeOutcome } from './failure.js';
import { importCommand } from './import.command.js';
import { keysCommand } from './keys.command.js';
import { merchantsCommand } from './merchants.command.js';
import { peopleCommand } from './people.command.js';
import { projectionsCommand } from './projections.command.js';
import { promoteCommand, rollbackCommand } from './promote.command.js';
import { queryCommand } from './query.command.js';
import { quotasCommand } from './quotas.command.js';
import { rebuildCommand } from './rebuild.command.js';
import { rebuildsCommand } from './rebuilds.command.js';
import { sharedLinksCommand } from './shared-links.command.js';
import { sitesCommand } from './sites.command.js';
import { usageCommand } from './usage.command.js';

const HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage.

The API key is never an argument, where other users of the machine could see it: give it in OPERATOR_KEY,
in the file that OPERATOR_KEY_FILE names, or with --key-file.

Start with "tidemark doctor": it says whether everything is in order, and what to do if not.`;

export interface Invocation {
  readonly args: readonly string[];
  readonly version: string;
  readonly context: CommandContext;
}

export async function runCli({ args, version, context }: Invocation): Promise<number> {
  const program = createProgram(version, context);
  try {
    await program.parseAsync(sharedOptionsLast(args), { from: 'user' });
    return 0;
  } catch (error) {
    return ended(error, { json: args.includes('--json'), context });
  }
}

/** The options that commands share may also stand before the command. */
function sharedOptionsLast(args: readonly string[]): readonly string[] {
  let at = 0;
  while (at < args.length && /^--(?:json|(?:url|key-file)(?:=|$))/.test(args[at]!)) {
    at += args[at] === '--url' || args[at] === '--key-file' ? 2 : 1;
  }
  return [...args.slice(at), ...args.slice(0, at)];
}

function createProgram(version: string, context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command('tidemark')
    .description("The operator's command line: talks over HTTP to a running Tidemark.")
    .version(version)
    .addHelpText('after', HELP)
    // Inherited by the commands below, so it stands before them.
    .exitOverride()
    // Options behind a command are the command's: "rebuild --version 3" asks for no version of the program.
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // Usage errors are reported by `ended`; help for a missing command belongs beside the result.
      writeErr: (text) => terminal.stderr.write(text),
      outputError: () => {},
    })
    .showSuggestionAfterError();
  for (const command of [
    importCommand,
    merchantsCommand,
    peopleCommand,
    quotasCommand,
    usageCommand,
    sitesCommand,
    keysCommand,
    sharedLinksCommand,
    queryCommand,
    exportCommand,
    projectionsCommand,
    rebuildCommand,
    rebuildsCommand,
    compareCommand,
    promoteCommand,
    rollbackCommand,
    deadLettersCommand,
    auditCommand,
    configCommand,
    doctorCommand,
  ]) {
    command(program, context);
  }
  return program;
}

function ended(error: unknown, { json, context }: { json: boolean; context: CommandContext }): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // `commander.help`: a command group without its command; the help is on the screen already.
    if (error.code === 'commander.help') return EXIT_USAGE;
    return report(`${error.message.replace(/^error: /, '')}\nSee "tidemark --help".`, EXIT_USAGE);
  }
  if (error instanceof CliFailure) return report(error.message, error.exitCode);
  if (error instanceof NegativeOutcome) {
    if (json) return report(error.message, EXIT_FAILED);
    context.terminal.note(error.message);
    return EXIT_FAILED;
  }
  if (error instanceof ConfigError) return report(error.message, EXIT_FAILED);
  return report(`This is a fault in Tidemark: ${(error as Error).stack ?? String(error)}`, EXIT_FAILED);

  function report(message: string, exitCode: number): number {
    if (json) context.terminal.errorJson({ message, exitCode });
    else context.terminal.error(message);
    return exitCode;
  }
}
