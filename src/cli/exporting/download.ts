// A result into a file. What has arrived stays in FILE.part when the connection breaks, and the rest is asked
// for from there, by this run or by another; the file gets its name once its digest is right.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { CliFailure, NegativeOutcome } from '../failure.js';
import { downloadLine, type FinishedExport } from './export-job.js';
import { mayPass } from './follow-job.js';
import type { ProgressLine } from './progress-line.js';

const TRIES_MAX = 10;
const RETRY_MS = 2_000;
/** Without a byte. */
const SILENCE_MAX_MS = 60_000;

export interface Download {
  readonly job: FinishedExport;
  readonly file: string;
  readonly client: ApiClient;
  readonly context: CommandContext;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
}

/** @throws CliFailure; NegativeOutcome when it is interrupted, which another run can go on from */
export async function downloadResult(download: Download): Promise<void> {
  const { job, file } = download;
  const part = `${file}.part`;
  const handle = await opened(part);
  try {
    await new Arriving(download, handle).finish(part);
  } finally {
    await handle.close();
  }
  const digest = await digestOf(part);
  if (digest !== job.result.sha256) {
    await rm(part, { force: true });
    throw new CliFailure(`What arrived is not what the server has: its digest is ${digest}. Fetch it again.`);
  }
  await rename(part, file);
}

/** One file, over as many connections as it takes. */
class Arriving {
  #bytes = 0;
  #startedAt = 0;
  #startedBytes = 0;

  constructor(
    private readonly download: Download,
    private readonly handle: FileHandle,
  ) {}

  async finish(part: string): Promise<void> {
    const { job, context, line, signal } = this.download;
    this.#bytes = (await this.handle.stat()).size;
    if (this.#bytes > job.result.bytes) await this.#startAnew();
    this.#startedAt = context.now();
    this.#startedBytes = this.#bytes;
    for (let tries = 0; this.#bytes < job.result.bytes;) {
      const before = this.#bytes;
      const trouble = await this.#fetchSome();
      if (signal.aborted) {
        throw new NegativeOutcome(
          `Stopped; ${part} holds what has arrived. Run the command with --job ${job.id} to go on.`,
        );
      }
      if (trouble === undefined) continue;
      tries = this.#bytes > before ? 1 : tries + 1;
      if (tries >= TRIES_MAX)
        throw new CliFailure(
          `${trouble}\n${part} holds what has arrived; run the command with --job ${job.id} to go on.`,
        );
      line.note(`The connection broke off at byte ${this.#bytes}; going on from there`);
      await context.sleep(RETRY_MS, signal);
    }
  }

  /** What went wrong that may go right the next time. @throws CliFailure for what will not */
  async #fetchSome(): Promise<string | undefined> {
    const { job, client, signal } = this.download;
    const silence = new AbortController();
    const headers: Record<string, string> = this.#bytes > 0 ? { range: `bytes=${this.#bytes}-` } : {};
    const reply = await client.open(job.result.href, {
      headers,
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (reply.outcome !== 'opened') {
      if (mayPass(reply)) return client.explain(reply);
      throw new CliFailure(client.explain(reply));
    }
    if (reply.status !== 206 && this.#bytes > 0) await this.#startAnew();
    let timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
    try {
      for await (const piece of reply.body) {
        clearTimeout(timer);
        await this.#write(piece);
        timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
      }
      return this.#bytes < job.result.bytes ? 'The connection was closed too early.' : undefined;
    } catch (error) {
      if (error instanceof CliFailure) throw error;
      return 'The connection broke off.';
    } finally {
      clearTimeout(timer);
    }
  }

  async #write(piece: Uint8Array): Promise<void> {
    const { job, context, line } = this.download;
    try {
      await this.handle.write(piece, 0, piece.length, this.#bytes);
    } catch (error) {
      throw new CliFailure(`The file cannot be written (${(error as NodeJS.ErrnoException).code}).`);
    }
    this.#bytes += piece.length;
    const seconds = (context.now() - this.#startedAt) / 1_000;
    const rate = (this.#bytes - this.#startedBytes) / seconds;
    const left = Number.isFinite(rate) && rate > 0 ? (job.result.bytes - this.#bytes) / rate : null;
    line.show(downloadLine(this.#bytes, job.result.bytes, left));
  }

  async #startAnew(): Promise<void> {
    await this.handle.truncate(0);
    this.#bytes = 0;
  }
}

async function opened(part: string): Promise<FileHandle> {
  try {
    // As it is, if it is there.
    return await open(part, 'r+').catch(() => open(part, 'w+'));
  } catch (error) {
    throw new CliFailure(`${part}: cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

async function digestOf(path: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
