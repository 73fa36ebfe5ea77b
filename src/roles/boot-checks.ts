// What is looked at before anything starts, and how a failed boot is explained: one readable line
// instead of a stack. The port is tried first, so that starting Tidemark twice by mistake does not
// start half of it, and Postgres, only to stop them again.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Config, ConfigError } from '../config/config.js';

type Where = Pick<Config, 'HOST' | 'PORT' | 'DATA_DIR'>;

export class BootError extends Error {
  override readonly name = 'BootError';
}

/** @throws BootError */
export async function checkBeforeBoot(config: Where): Promise<void> {
  await checkPort(config);
  await checkDataDirectory(config.DATA_DIR);
}

async function checkPort(config: Where): Promise<void> {
  if (config.PORT === 0) return;
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject).listen(config.PORT, config.HOST, resolve);
    });
  } catch (error) {
    throw new BootError(explainBootFailure(error, config), { cause: error });
  }
  await new Promise((resolve) => probe.close(resolve));
}

async function checkDataDirectory(path: string): Promise<void> {
  const probe = join(path, `.writable-${process.pid}`);
  try {
    await mkdir(path, { recursive: true });
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BootError(
      `The data directory ${path} cannot be written (${code}). Set DATA_DIR to one that can.`,
      {
        cause: error,
      },
    );
  }
}

export function explainBootFailure(error: unknown, { HOST, PORT }: Where): string {
  if (error instanceof ConfigError || error instanceof BootError) return error.message;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `Port ${PORT} on ${HOST} is in use: stop the process that has it, or set PORT.`;
  }
  if (syscall === 'listen' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `Cannot listen on ${HOST}:${PORT} (${code}): check HOST and PORT.`;
  }
  return `Tidemark cannot start: ${message || code}`;
}
