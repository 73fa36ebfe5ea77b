// What "ready" means: every dependency of this process's roles answers, and the process is not
// about to stop. A dependency that hangs counts, after a bounded wait, as one that refuses.
import { within } from '../waiting/within.js';

/** Extra facts for whoever looks: lag, age, counts. Nothing secret: the endpoint is open. */
export type HealthFacts = Readonly<Record<string, string | number | boolean>>;

/** Degraded: something is missing, but requests are better served here than nowhere. */
export type Health =
  | { readonly status: 'up'; readonly facts?: HealthFacts }
  | { readonly status: 'degraded' | 'down'; readonly reason: string; readonly facts?: HealthFacts };

export interface HealthCheck {
  readonly dependency: string;
  /** May throw, or hang. */
  readonly check: () => Health | Promise<Health>;
  /** What it is then. Absent: down. */
  readonly otherwise?: 'down' | 'degraded';
}

export interface ReadinessReport {
  readonly status: 'ready' | 'not-ready' | 'draining';
  readonly dependencies: Readonly<Record<string, Health>>;
}

const CHECK_TIMEOUT_MS = 2_000;

export class Readiness {
  private draining = false;
  private running: Promise<ReadinessReport> | undefined;

  constructor(private readonly checks: readonly HealthCheck[]) {}

  /** From now on this process wants no more traffic. */
  startDraining(): void {
    this.draining = true;
  }

  /** Callers at the same time share one round of checks, so that probing costs no more by being frequent. */
  report(): Promise<ReadinessReport> {
    this.running ??= this.ask().finally(() => (this.running = undefined));
    return this.running;
  }

  private async ask(): Promise<ReadinessReport> {
    const answers = await Promise.all(
      this.checks.map(async (check) => [check.dependency, await healthOf(check)] as const),
    );
    const anyDown = answers.some(([, health]) => health.status === 'down');
    return {
      status: this.draining ? 'draining' : anyDown ? 'not-ready' : 'ready',
      dependencies: Object.fromEntries(answers),
    };
  }
}

async function healthOf({ check, otherwise: status = 'down' }: HealthCheck): Promise<Health> {
  try {
    const health = await within(CHECK_TIMEOUT_MS, Promise.resolve(check()));
    return health ?? { status, reason: `no answer within ${CHECK_TIMEOUT_MS} ms` };
  } catch (error) {
    return { status, reason: (error as NodeJS.ErrnoException).code ?? (error as Error).name };
  }
}
