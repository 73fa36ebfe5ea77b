// Entry of bin/tidemark: gives the program its streams, its clock and its settings.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../config/config.js';
import { runCli } from './program.js';
import { Terminal } from './terminal.js';

// `tidemark … | head` closes the pipe early: nobody reads on, so there is nothing left to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await runCli({
  args: process.argv.slice(2),
  version,
  context: {
    terminal: new Terminal(process.stdout, process.stderr),
    stdin: process.stdin,
    config: () => readConfig(),
    now: () => Date.now(),
    sleep: async (milliseconds, signal) => {
      await sleep(milliseconds, undefined, { signal }).catch(() => {});
    },
    interruptible,
  },
});

async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  // Once: a second Ctrl-C ends the process, whatever it waits for.
  process.once('SIGINT', interrupt);
  try {
    return await work(interruption.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
