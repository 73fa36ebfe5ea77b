// From the first signal to the exit: readiness off, stop accepting, answer what was accepted, drain
// the modules, close what they stand on, in this order and within SHUTDOWN_TIMEOUT_MS. A failure
// nobody handled ends the process at once: on a failed disk, going on would mean lying.
import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { closeHttp } from '../http/http-server.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { Readiness } from './health-check.js';

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Of the time to stop in, what clients that are slow to send their request may take. */
const HTTP_SHARE = 0.5;

export interface LifecycleDeps {
  readonly config: Pick<Config, 'SHUTDOWN_DELAY_MS' | 'SHUTDOWN_TIMEOUT_MS'>;
  readonly telemetry: Telemetry;
}

/** Handlers of our own even for defaults: as PID 1 a process has none. */
export function exitOnFailure({ telemetry }: Pick<LifecycleDeps, 'telemetry'>): void {
  const fail = (err: unknown) => {
    telemetry.log.fatal({ err }, 'unexpected failure, exiting');
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
}

/** A signal during the boot is obeyed once the boot is over. */
export function stopOnSignals(booting: Promise<INestApplication>, deps: LifecycleDeps): void {
  let stopping = false;
  const onSignal = (signal: StopSignal) => {
    if (stopping) process.exit(SIGNAL_EXIT_CODES[signal]);
    stopping = true;
    deps.telemetry.log.info({ signal }, 'stopping');
    void stop(booting, deps);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

async function stop(booting: Promise<INestApplication>, { config, telemetry }: LifecycleDeps): Promise<void> {
  setTimeout(() => {
    telemetry.log.error({ timeoutMs: config.SHUTDOWN_TIMEOUT_MS }, 'stopping took too long, exiting');
    process.exit(1);
  }, config.SHUTDOWN_TIMEOUT_MS).unref();
  try {
    const app = await booting;
    app.get(Readiness).startDraining();
    await sleep(config.SHUTDOWN_DELAY_MS);
    await closeHttp(app, { graceMs: (config.SHUTDOWN_TIMEOUT_MS - config.SHUTDOWN_DELAY_MS) * HTTP_SHARE });
    await app.close();
  } catch (err) {
    telemetry.log.error({ err }, 'stopping failed');
    process.exit(1);
  }
  telemetry.log.info('stopped');
  process.exit(0);
}
