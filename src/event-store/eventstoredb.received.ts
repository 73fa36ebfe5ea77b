// What one call to EventStoreDB sends, one event at a time, as fast as it is taken: the call buffers a
// few events and then holds the server back. However the reading ends, the call on the server ends
// with it; the client's own iteration would leave it open.

/** A read, or a subscription: what the client calls `cancel` in one is `unsubscribe` in the other. */
export type Call<Event> = ({ cancel(): Promise<void> } | { unsubscribe(): Promise<void> }) & {
  on(event: string, listener: (...details: unknown[]) => void): unknown;
  read(): unknown;
  destroy(): unknown;
  [Symbol.asyncIterator](): AsyncIterableIterator<Event>;
};

/** To be emitted on the call by its `checkpointReached`: a sign of life without an event. */
export const CHECKPOINT = 'checkpoint';

export interface ReceiveOptions {
  /** A server silent for longer counts as hung. Absent: for calls that wait for what is to come. */
  readonly silenceMsMax?: number;
  /** Ends the reading without an error. */
  readonly signal?: AbortSignal;
  /** Where a subscription ends: never, or when the server says that it is caught up. */
  readonly until?: 'ended' | 'caught-up';
}

export class SilentServerError extends Error {
  override readonly name = 'SilentServerError';
  constructor(silenceMs: number) {
    super(`the server has been silent for ${silenceMs} ms`);
  }
}

export async function* received<Event>(
  call: Call<Event>,
  { silenceMsMax, signal, until = 'ended' }: ReceiveOptions,
): AsyncGenerator<Event, void, undefined> {
  let over = false;
  let failure: unknown;
  let wake = (): void => undefined;
  const end = (): void => {
    over = true;
    wake();
  };
  for (const sign of ['readable', 'confirmation', CHECKPOINT]) call.on(sign, () => wake());
  call.on('end', end);
  // Stays for good: the client also reports errors after the reading has ended.
  call.on('error', (error) => {
    failure ??= error;
    wake();
  });
  if (until === 'caught-up') call.on('caughtUp', end);
  signal?.addEventListener('abort', end);
  try {
    while (!signal?.aborted) {
      const event = call.read() as Event | null;
      if (event !== null) yield event;
      else if (failure !== undefined) throw failure;
      else if (over) return;
      else await woken((resolve) => (wake = resolve), silenceMsMax);
    }
  } finally {
    signal?.removeEventListener('abort', end);
    hangUp(call);
  }
}

async function woken(sleep: (wake: () => void) => void, silenceMsMax: number | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      sleep(resolve);
      if (silenceMsMax === undefined) return;
      timer = setTimeout(() => reject(new SilentServerError(silenceMsMax)), silenceMsMax);
    });
  } finally {
    clearTimeout(timer);
  }
}

/** The rejection is that of a connection that never came to be. */
function hangUp(call: Call<unknown>): void {
  const ending = 'unsubscribe' in call ? call.unsubscribe() : call.cancel();
  ending.catch(() => undefined);
  call.destroy();
}
