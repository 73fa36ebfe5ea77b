// Follows a rebuild to its end by asking for it again and again. A server that is away for a while, as it
// is while it is deployed, is waited for.
import { type ApiClient, type ApiReply, isSuccess } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { CliFailure, NegativeOutcome } from '../failure.js';
import { isUnderWay, type Rebuild, rebuildPath } from './api-answers.js';
import { nextStepText } from './rebuild-text.js';
import { type RebuildView, rebuildView } from './rebuild-view.js';

const ASK_INTERVAL_MS = 1_000;
const SILENCE_MAX_MS = 120_000;
const MAY_PASS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface WatchOptions {
  readonly client: ApiClient;
  readonly context: CommandContext;
  readonly json: boolean;
}

/** @throws CliFailure unless it catches up */
export async function watchRebuild(id: string, { client, context, json }: WatchOptions): Promise<void> {
  const { terminal, now } = context;
  const view = rebuildView({ terminal, json, now });
  const rebuild = await context.interruptible((signal) => follow(id, { client, context, view, signal }));
  if (rebuild.state === 'failed' || rebuild.state === 'cancelled') {
    throw new CliFailure(nextStepText(rebuild));
  }
  if (!json) terminal.print(nextStepText(rebuild));
}

interface Following {
  readonly client: ApiClient;
  readonly context: CommandContext;
  readonly view: RebuildView;
  readonly signal: AbortSignal;
}

/** Settles when it is no longer under way. */
async function follow(id: string, { client, context, view, signal }: Following): Promise<Rebuild> {
  const troubles = new Troubles(view);
  let answeredAt = context.now();
  for (;;) {
    const reply = await client.send({ method: 'GET', path: rebuildPath(id), signal });
    if (signal.aborted) throw new NegativeOutcome(goesOnText(id));
    if (reply.outcome === 'answered' && isSuccess(reply.status)) {
      const rebuild = reply.body as Rebuild;
      answeredAt = context.now();
      troubles.tell(rebuild);
      view.show(rebuild);
      if (!isUnderWay(rebuild)) return rebuild;
    } else {
      if (!mayPass(reply)) throw new CliFailure(client.explain(reply));
      if (context.now() - answeredAt > SILENCE_MAX_MS) {
        throw new CliFailure(`${client.explain(reply)}\n${goesOnText(id)}`);
      }
      troubles.tellSilence(reply);
    }
    await context.sleep(ASK_INTERVAL_MS, signal);
    if (signal.aborted) throw new NegativeOutcome(goesOnText(id));
  }
}

const mayPass = (reply: ApiReply): boolean => reply.outcome === 'unreachable' || MAY_PASS.has(reply.status);

const goesOnText = (id: string): string =>
  `Watching has ended; the rebuild goes on without it. Watch again: tidemark rebuilds ${id} --watch; stop it: tidemark rebuilds cancel ${id}`;

/** What is not as it should be, each thing told once while it lasts. */
class Troubles {
  readonly #ofPartitions = new Map<number, string>();
  #silence: string | undefined;

  constructor(private readonly view: RebuildView) {}

  tell({ partitions }: Rebuild): void {
    this.#silence = undefined;
    for (const { partition, error } of partitions) {
      const known = this.#ofPartitions.get(partition);
      if (!error) this.#ofPartitions.delete(partition);
      else if (error !== known) {
        this.#ofPartitions.set(partition, error);
        this.view.note(`partition ${partition}: ${error}; it is tried again`);
      }
    }
  }

  tellSilence(reply: ApiReply): void {
    const reason = reply.outcome === 'unreachable' ? reply.code : String(reply.status);
    if (reason === this.#silence) return;
    this.#silence = reason;
    this.view.note(`The server gives no answer (${reason}); asking again for ${SILENCE_MAX_MS / 1_000} s`);
  }
}
