// The command line in this process, against a server that a test names: what it wrote and how it ended.
// Its waits take no time.
import { Readable } from 'node:stream';
import { runCli } from '../src/cli/program.js';
import { Terminal } from '../src/cli/terminal.js';
import { readConfig } from '../src/config/config.js';
import { STAND_IN_KEY } from './servers/stand-in-api.js';

export interface CliOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Standard error is a terminal of so many rows. */
  readonly terminalRows?: number;
  /** Whenever a command waits; `interrupt` is Ctrl-C. */
  readonly onSleep?: (milliseconds: number, interrupt: () => void) => void;
}

export interface CliRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export async function runAgainst(
  url: string,
  args: readonly string[],
  { environment, stdin = '', terminalRows, onSleep = () => {} }: CliOptions = {},
): Promise<CliRun> {
  const written = { out: '', err: '' };
  const interruption = new AbortController();
  let sleptMs = 0;
  const exitCode = await runCli({
    args,
    version: '1.2.3',
    context: {
      terminal: new Terminal(
        { write: (text) => (written.out += text) },
        {
          write: (text) => (written.err += text),
          ...(terminalRows !== undefined && { isTTY: true, rows: terminalRows }),
        },
      ),
      stdin: Readable.from([Buffer.from(stdin)]),
      config: () => readConfig({ OPERATOR_KEY: STAND_IN_KEY, PORT: new URL(url).port, ...environment }),
      now: () => Date.now() + sleptMs,
      sleep: async (milliseconds) => {
        sleptMs += milliseconds;
        onSleep(milliseconds, () => interruption.abort());
      },
      interruptible: (work) => work(interruption.signal),
    },
  });
  return { exitCode, ...written };
}
