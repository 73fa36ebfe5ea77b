// A real HAProxy with the configuration that deployments use, its addresses given by environment.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { serverDirectory } from './run-directory.js';
import { accepts, type ServerProcess, startServer } from './server-process.js';

export const HAPROXY_CONFIG = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url));

export interface TestHaproxy {
  readonly url: string;
  readonly process: ServerProcess;
  stop(): Promise<void>;
}

export function findHaproxy(): { readonly source: 'installed' } | { readonly source: 'none'; why: string } {
  if (spawnSync('haproxy', ['-v']).status === 0) return { source: 'installed' };
  return { source: 'none', why: 'no haproxy on the PATH' };
}

/** `environment`: what deploy/haproxy.cfg asks for, without LISTEN. */
export async function startHaproxy(environment: Readonly<Record<string, string>>): Promise<TestHaproxy> {
  const directory = serverDirectory('haproxy');
  const port = await freePort();
  const process = await startServer({
    command: 'haproxy',
    args: ['-db', '-f', HAPROXY_CONFIG, '-C', directory],
    directory,
    environment: { ...environment, LISTEN: `127.0.0.1:${port}` },
    answers: () => accepts(port),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    process,
    async stop() {
      await process.kill();
      await rm(directory, { recursive: true });
    },
  };
}
