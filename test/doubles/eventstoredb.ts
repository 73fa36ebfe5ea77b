// EventStoreDB for specs: its protocol double as a process of its own, which tests kill, hang and
// start again; and, where EVENTSTORE_URL names one, a real server, which they share with others.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { builtApp } from '../servers/built-app.js';
import { freePort } from '../servers/free-port.js';
import { serverDirectory } from '../servers/run-directory.js';
import { accepts, type ServerProcess, startServer } from '../servers/server-process.js';

export interface EventStoreDbDouble {
  readonly url: string;
  readonly port: number;
  readonly process: ServerProcess;
  stop(): Promise<void>;
}

export interface DoubleOptions {
  /** With `memory` it forgets what it had when it is killed. */
  readonly keeps?: 'journal' | 'memory';
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startEventStoreDbDouble(options: DoubleOptions = {}): Promise<EventStoreDbDouble> {
  const { keeps = 'journal', environment = {} } = options;
  const directory = serverDirectory('eventstoredb-double');
  const port = await freePort();
  const program = join(await builtApp(), 'test/doubles/eventstoredb-double.js');
  // The directory is named in any case: by it a forgotten process is found.
  const args = [program, String(port), join(directory, 'journal'), keeps];
  const answers = () => accepts(port);
  const process = await startServer({
    command: globalThis.process.execPath,
    args,
    directory,
    environment,
    answers,
  });
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    process,
    async stop() {
      await process.kill();
      await rm(directory, { recursive: true });
    },
  };
}

/** A server that is there for the tests, and that they may neither kill nor expect to be empty. */
export const givenEventStoreDb = (): string | undefined => process.env['EVENTSTORE_URL'];

/** Streams of its own for whoever asks. */
export function freshStreams(url: string): Record<string, string> {
  return { EVENTSTORE_URL: url, EVENTSTORE_STREAM_PREFIX: `test-${randomBytes(6).toString('hex')}` };
}
