// A real Redis for whoever asks: TEST_REDIS_URL if that is set, else one of the caller's own, from an
// installed redis-server or Docker. Nothing is saved: killed and started again, it is empty.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { hasDocker, startContainer } from './docker.js';
import { freePort } from './free-port.js';
import { serverDirectory } from './run-directory.js';
import { type ServerProcess, startServer } from './server-process.js';

export interface TestRedis {
  readonly url: string;
  /** @throws when read, if the server is a given one: `own` servers alone may be killed. */
  readonly process: ServerProcess;
  stop(): Promise<void>;
}

export type RedisSource =
  | { readonly source: 'given'; readonly url: string }
  | { readonly source: 'installed' }
  | { readonly source: 'docker' }
  | { readonly source: 'none'; readonly why: string };

const IMAGE = 'redis:7.2-bookworm';

/** `own`: one that a test may kill, so never a given one. */
export function findRedis(kind: 'any' | 'own'): RedisSource {
  const url = process.env['TEST_REDIS_URL'];
  if (kind === 'any' && url) return { source: 'given', url };
  if (spawnSync('redis-server', ['--version']).status === 0) return { source: 'installed' };
  if (hasDocker()) return { source: 'docker' };
  return { source: 'none', why: 'no redis-server on the PATH, and no Docker' };
}

export async function startRedis({ own = false }: { readonly own?: boolean } = {}): Promise<TestRedis> {
  const found = findRedis(own ? 'own' : 'any');
  if (found.source === 'none') throw new Error(`There is no Redis for tests: ${found.why}`);
  if (found.source === 'given') return given(found.url);
  const directory = serverDirectory('redis');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  args.push('--dir', directory, '--set-proc-title', 'no'); // else it hides what jest-run.js looks for
  const answers = () => pings(port);
  const process =
    found.source === 'installed'
      ? await startServer({ command: 'redis-server', args, directory, answers })
      : await startContainer({
          image: IMAGE,
          script: `exec redis-server ${args.map((argument) => `'${argument}'`).join(' ')}`,
          directory,
          answers,
        });
  return {
    url,
    process,
    async stop() {
      await process.kill();
      await rm(directory, { recursive: true });
    },
  };
}

function given(url: string): TestRedis {
  return {
    url,
    get process(): never {
      throw new Error('TEST_REDIS_URL names a server that tests may not kill: ask for an own one');
    },
    stop: async () => {},
  };
}

async function pings(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(1_000) })) as [Buffer];
    return answer.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
