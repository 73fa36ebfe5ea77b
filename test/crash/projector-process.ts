// A process of the compiled product with ROLE=projector, and what it says of itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../servers/free-port.js';
import { Child } from './child.js';

export class ProjectorProcess {
  private constructor(
    private readonly child: Child,
    private readonly port: number,
  ) {}

  /** Settles when it listens. */
  static async start(environment: Readonly<Record<string, string>>): Promise<ProjectorProcess> {
    const port = await freePort();
    const child = await Child.start('src/main.js', {
      environment: { ROLE: 'projector', PORT: String(port), LOG_LEVEL: 'info', ...environment },
    });
    const projector = new ProjectorProcess(child, port);
    while (!(await projector.#answers())) {
      if (await Promise.race([child.ended, sleep(50)])) {
        throw new Error(`The projector ended at boot:\n${child.stderr}\n${child.lines.join('\n')}`);
      }
    }
    return projector;
  }

  /** Of itself, or killed. */
  get ended(): Child['ended'] {
    return this.child.ended;
  }

  /** Its partitions, as it sees it. */
  assigned(): Promise<number> {
    return this.metric('tidemark_sharing_partitions_assigned');
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    if (value === undefined) throw new Error(`There is no metric ${name}`);
    return Number(value);
  }

  pause(): void {
    process.kill(this.child.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.child.pid, 'SIGCONT');
  }

  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    return this.child.kill(signal);
  }

  #answers(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.port}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
