// A server in a container where its programs are not installed: the same life as a process of our own,
// by other commands. On the host's network, so that ports mean the same; Linux only for that reason.
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerProcess, waitForAnswer } from './server-process.js';

export interface ContainerCommand {
  readonly image: string;
  /** Run by `sh`; sees `directory` under its own path. */
  readonly script: string;
  readonly directory: string;
  readonly answers: () => Promise<boolean>;
}

export const hasDocker = (): boolean =>
  process.platform === 'linux' && spawnSync('docker', ['info'], { timeout: 10_000 }).status === 0;

export async function startContainer(command: ContainerCommand): Promise<ServerProcess> {
  const container = new Container(command);
  await container.start();
  return container;
}

class Container implements ServerProcess {
  readonly #name = `tidemark-test-${randomBytes(6).toString('hex')}`;

  constructor(private readonly command: ContainerCommand) {
    // Read by jest-run.js, which removes what a killed run left behind.
    writeFileSync(join(command.directory, 'server.container'), this.#name);
  }

  get pid(): number {
    return Number(docker('inspect', ['--format', '{{.State.Pid}}', this.#name]));
  }

  async start(): Promise<void> {
    const { image, script, directory, answers } = this.command;
    docker('run', [
      ...['--detach', '--name', this.#name, '--network', 'host', '--volume', `${directory}:${directory}`],
      ...['--user', `${process.getuid!()}:${process.getgid!()}`],
      ...['--entrypoint', 'sh', image, '-c', `{ ${script}; } >>${join(directory, 'server.log')} 2>&1`],
    ]);
    await waitForAnswer({ command: image, directory, answers }, () => this.pid === 0);
  }

  /** What it knew is in `directory`, so the container itself need not be kept. */
  async kill(): Promise<void> {
    docker('rm', ['--force', this.#name]);
  }

  pause(): void {
    docker('pause', [this.#name]);
  }

  resume(): void {
    docker('unpause', [this.#name]);
  }
}

function docker(verb: string, args: readonly string[]): string {
  return execFileSync('docker', [verb, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}
