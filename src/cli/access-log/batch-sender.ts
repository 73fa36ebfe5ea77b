// Last stage of the import: events into requests to POST /v1/events, a few at a time. A batch is sent
// again, unchanged, until the server has answered for every event in it; ids make that harmless.
// Guarantee: `finish` returns only when every event given to `add` is accounted for; else it throws.
import { gzipSync } from 'node:zlib';
import type { AnsweredReply, ApiClient, ApiReply } from '../api-client.js';
import { CliFailure } from '../failure.js';

export const BATCH_EVENTS_MAX = 1_000;
/** Before compression; the server's limit is 1 MiB. */
export const BATCH_BYTES_MAX = 1_000_000;
const REQUESTS_IN_FLIGHT_MAX = 4;
const ATTEMPTS_MAX = 10;
const FIRST_RETRY_MS = 250;
const RETRY_MS_MAX = 30_000;

export interface SendAccount {
  imported: number;
  duplicates: number;
  readonly rejected: Record<string, number>;
}

export interface BatchSenderOptions {
  readonly client: ApiClient;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Told when the server makes the import wait. */
  readonly onRetry?: (reason: string) => void;
}

/** The one reason of intake that passes by itself. */
const RATE_LIMITED = 'rate_limited';

interface Rejection {
  readonly index: number;
  readonly reason: string;
}

interface IntakeAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly Rejection[];
}

export class BatchSender {
  readonly account: SendAccount = { imported: 0, duplicates: 0, rejected: {} };
  /** The batch being gathered, as JSON bytes: kept as strings, batches would outlive young garbage. */
  private readonly body = Buffer.allocUnsafe(BATCH_BYTES_MAX);
  private bodyBytes = 0;
  private events = 0;
  private readonly inFlight = new Set<Promise<void>>();
  private failure: unknown;

  constructor(private readonly options: BatchSenderOptions) {}

  /** Waits while enough is under way. @throws CliFailure when an earlier batch could not be delivered */
  async add(event: object): Promise<void> {
    const json = JSON.stringify(event);
    // A separator before it and a bracket after it.
    const bytes = Buffer.byteLength(json) + 2;
    if (this.events === BATCH_EVENTS_MAX || this.bodyBytes + bytes > BATCH_BYTES_MAX) await this.startBatch();
    this.bodyBytes += this.body.write(this.events === 0 ? '[' : ',', this.bodyBytes);
    this.bodyBytes += this.body.write(json, this.bodyBytes);
    this.events++;
  }

  /** @throws CliFailure */
  async finish(): Promise<void> {
    if (this.events > 0) await this.startBatch();
    await this.settle();
    if (this.failure !== undefined) throw this.failure;
  }

  /** Waits for what is under way, whatever becomes of it: the account is final afterwards. */
  async settle(): Promise<void> {
    await Promise.all(this.inFlight);
  }

  private async startBatch(): Promise<void> {
    this.bodyBytes += this.body.write(']', this.bodyBytes);
    const gzipped = gzipSync(this.body.subarray(0, this.bodyBytes), { level: 1 });
    const { events } = this;
    this.bodyBytes = 0;
    this.events = 0;
    while (this.inFlight.size >= REQUESTS_IN_FLIGHT_MAX) await Promise.race(this.inFlight);
    if (this.failure !== undefined) throw this.failure;
    const delivery = this.deliver(gzipped, events)
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.inFlight.delete(delivery));
    this.inFlight.add(delivery);
  }

  private async deliver(gzippedBody: Buffer, events: number): Promise<void> {
    let acceptedBefore = 0;
    for (let attempt = 1; ; attempt++) {
      const reply = await this.options.client.send({ method: 'POST', path: '/v1/events', gzippedBody });
      const answer = answerOf(reply);
      const isCut = answer?.rejected.some(({ reason }) => reason === RATE_LIMITED) === true;
      if (answer !== null && !isCut) return this.count(afterCuts(answer, acceptedBefore), events);
      acceptedBefore += answer?.accepted ?? 0;
      if (!isCut && !mayPass(reply)) throw new CliFailure(this.options.client.explain(reply));
      // Another batch has given up already: the server is gone for this one too.
      if (this.failure !== undefined || attempt === ATTEMPTS_MAX) {
        throw new CliFailure(`Gave up after ${attempt} attempts. ${this.options.client.explain(reply)}`);
      }
      this.options.onRetry?.(reply.outcome === 'answered' ? `answered ${reply.status}` : reply.code);
      await this.options.sleep(waitMs(reply, attempt));
    }
  }

  private count(answer: IntakeAnswer, sent: number): void {
    if (answer.accepted + answer.duplicates + answer.rejected.length !== sent) {
      throw new CliFailure(
        `The server accounted for ${answer.accepted + answer.duplicates + answer.rejected.length} of ${sent} events: is it another version than this CLI?`,
      );
    }
    this.account.imported += answer.accepted;
    this.account.duplicates += answer.duplicates;
    for (const { reason } of answer.rejected) {
      this.account.rejected[reason] = (this.account.rejected[reason] ?? 0) + 1;
    }
  }
}

/** Of a batch that is sent again because a part of it came too fast: what was taken before is a repeat by now. */
function afterCuts(answer: IntakeAnswer, acceptedBefore: number): IntakeAnswer {
  const repeats = Math.min(acceptedBefore, answer.duplicates);
  return { ...answer, accepted: answer.accepted + repeats, duplicates: answer.duplicates - repeats };
}

function answerOf(reply: ApiReply): IntakeAnswer | null {
  if (reply.outcome !== 'answered') return null;
  if (reply.status === 202) return reply.body as IntakeAnswer;
  if (reply.status !== 400) return null;
  // A batch of which nothing is acceptable: a problem that still accounts for every event.
  const { errors } = (reply.body ?? {}) as { errors?: Partial<Rejection>[] };
  const rejected = errors?.filter((error): error is Rejection => typeof error.reason === 'string') ?? [];
  return rejected.length > 0 ? { accepted: 0, duplicates: 0, rejected } : null;
}

const mayPass = (reply: ApiReply): boolean =>
  reply.outcome === 'unreachable' || reply.status === 429 || (reply.status >= 502 && reply.status <= 504);

function waitMs(reply: ApiReply, attempt: number): number {
  const asked = reply.outcome === 'answered' ? retryAfterMs(reply) : 0;
  const backoff = FIRST_RETRY_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
  return Math.min(Math.max(asked, backoff), RETRY_MS_MAX);
}

function retryAfterMs(reply: AnsweredReply): number {
  const seconds = Number(reply.headers.get('retry-after'));
  return Number.isFinite(seconds) ? seconds * 1000 : 0;
}
