// One process per spool: two would drain the same batches, and one would discard what the other has
// only just written. A socket that the owner listens on, rather than a file with its process id: the
// kernel closes it with the process, however that ends, and process ids repeat in containers.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { TrackingLogUnusableError } from './tracking-log.js';

/** Of a socket's path, in the strictest of the systems we run on. */
const PATH_BYTES_MAX = 103;
/** An owner that is stopped does not answer, and is still the owner. */
const ANSWER_MS_MAX = 500;
/** Two processes that find a dead owner's socket at the same time have both replaced it by then. */
const SETTLED_AFTER_MS = 100;

export class SpoolLock {
  private constructor(private readonly server: Server) {}

  /** @throws TrackingLogUnusableError while another process has it */
  static async take(directory: string): Promise<SpoolLock> {
    const path = join(directory, 'owner.sock');
    if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
      throw new TrackingLogUnusableError(
        `${path} is too long for the name of a socket (${PATH_BYTES_MAX} bytes): choose a shorter DATA_DIR, or set SPOOL_BYTES_MAX=0.`,
      );
    }
    if ((await ownerOf(path)) !== null) throw inUse(directory);
    await rm(path, { force: true });
    const name = randomUUID();
    const server = createServer((socket) => socket.on('error', () => undefined).end(name));
    try {
      await once(server.listen(path), 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw inUse(directory);
      throw error;
    }
    server.unref();
    await delay(SETTLED_AFTER_MS);
    if ((await ownerOf(path)) === name) return new SpoolLock(server);
    server.close();
    throw inUse(directory);
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What the owner calls itself; empty when it does not say; null when nobody listens. */
async function ownerOf(path: string): Promise<string | null> {
  const socket = connect(path).setEncoding('utf8');
  try {
    await once(socket, 'connect');
  } catch {
    return null;
  }
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  const [name] = await answer.catch(() => ['']);
  socket.destroy();
  return name as string;
}

function inUse(directory: string): TrackingLogUnusableError {
  return new TrackingLogUnusableError(
    `The spool in ${directory} belongs to another process that runs: give each process that receives events ` +
      'a DATA_DIR of its own, or set SPOOL_BYTES_MAX=0.',
  );
}
