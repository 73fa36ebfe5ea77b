// What every command is given: where to write, what to read, which settings hold; and the options every
// command that talks to a server shares.
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Config } from '../config/config.js';
import { ApiClient } from './api-client.js';
import { CliFailure, usageError } from './failure.js';
import type { Terminal } from './terminal.js';

export interface CommandContext {
  readonly terminal: Terminal;
  readonly stdin: Readable;
  /** @throws ConfigError */
  readonly config: () => Config;
  readonly now: () => number;
  /** Ends early, without an error, when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** While it works, Ctrl-C aborts its signal instead of ending the process. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

export interface SharedOptions {
  readonly json?: true;
}

export interface ServerOptions extends SharedOptions {
  readonly url?: string;
  readonly keyFile?: string;
}

export const withJson = (command: Command): Command =>
  command.option('--json', 'print JSON instead of text; errors too, on standard error');

export const withServer = (command: Command): Command =>
  withJson(command)
    .option(
      '--url <url>',
      'address of the running instance (default: http://127.0.0.1:PORT, PORT being 3000)',
    )
    .option('--key-file <file>', 'file that holds the API key (default: OPERATOR_KEY or OPERATOR_KEY_FILE)');

export function connect(context: CommandContext, options: ServerOptions): ApiClient {
  const config = context.config();
  const url = options.url ?? `http://127.0.0.1:${config.PORT}`;
  if (!/^https?:$/.test(protocolOf(url)))
    throw usageError(`--url ${url}: must start with http:// or https://`);
  const key = options.keyFile === undefined ? config.OPERATOR_KEY : readKey(options.keyFile);
  return new ApiClient({ url, key });
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

function readKey(path: string): string {
  try {
    const key = readFileSync(path, 'utf8').trim();
    if (/^[\x21-\x7e]+$/.test(key)) return key;
  } catch (error) {
    throw new CliFailure(`--key-file ${path}: cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  throw new CliFailure(`--key-file ${path}: must hold one key and nothing else.`);
}

/** A commander option parser. */
export function wholeNumberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw usageError(`"${text}" is not a whole number from ${min} to ${max}.`);
  };
}

/** A commander option parser. */
export const commaList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
