// What the server sends while it reads it, into a file or to standard output. There is no size to compare with: that
// the connection ended in order says that it is all. Until then a file is called FILE.part.
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { CliFailure } from '../failure.js';

export interface Fetched {
  readonly client: ApiClient;
  readonly context: CommandContext;
  /** Undefined: standard output. */
  readonly output: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws CliFailure */
export async function fetchFile(path: string, { client, context, output, signal }: Fetched): Promise<void> {
  refuseExisting(output);
  const reply = await client.open(path, { headers: {}, signal });
  if (reply.outcome !== 'opened') throw new CliFailure(client.explain(reply));
  const { terminal } = context;
  if (output === undefined) await arriving(reply.body, (text) => terminal.pass(text));
  else await written(reply.body, output);
  if (reply.headers.get('tidemark-up-to-date') === 'false')
    terminal.note('The trail is being brought up to date: the newest entries may be missing.');
}

function refuseExisting(file: string | undefined): void {
  if (file !== undefined && existsSync(file))
    throw new CliFailure(`${file} is there already: name another with --output.`);
}

async function written(body: AsyncIterable<Uint8Array>, file: string): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'w').catch((error: NodeJS.ErrnoException) => {
    throw new CliFailure(`${part}: cannot be written (${error.code}).`);
  });
  try {
    await arriving(body, async (text) => void (await handle.write(text)));
    await handle.close();
    await rename(part, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function arriving(
  body: AsyncIterable<Uint8Array>,
  take: (text: string) => Promise<void>,
): Promise<void> {
  const decoder = new TextDecoder();
  const chunks = body[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await chunks.next().catch(() => {
      throw new CliFailure('The connection broke off before the end: run the command again.');
    });
    if (chunk.done === true) return;
    await take(decoder.decode(chunk.value, { stream: true }));
  }
}
