// Carries out what operators decided about dead letters, where the log and the letters' only writer are:
// in the projector. Replaying is: append the events again, durably, then delete the letter. Whatever
// happens in between leaves the letter, and the append is done again, of which the projector drops the
// repeat by the events' ids. A decision about a letter that is gone has been carried out; so at every boot the
// letters that are there are asked for theirs, whatever else is in the store, and nothing has to remember how far.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import type { EventStore, RecordedEvent, Subscription } from '../../../event-store/event-store.js';
import type { DeadLetterEvent } from '../../../events/dead-letter.events.js';
import { UnknownEventSchemaError } from '../../../events/upcasters.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import { backoffMs } from '../../../waiting/backoff.js';
import { DamagedBatchError } from '../../../tracking-log/batch-codec.js';
import { InvalidAppendError, type TrackingLog } from '../../../tracking-log/tracking-log.js';
import { appendAgain, BatchRefusedError } from './append-again.js';
import type { DeadLetterTable, LetterContent } from './dead-letter-table.js';
import type { DeadLettersTelemetry, DecisionOutcome } from './dead-letters.telemetry.js';
import { DEAD_LETTER_STREAMS } from './decisions.js';
import { eventsOfLetter } from './letter-events.js';

/** Of the log's answer: a process that hangs must not keep the letter from others for longer. */
const BEGIN = `BEGIN; SET LOCAL idle_in_transaction_session_timeout TO '30s'`;
const LETTERS_PER_PAGE = 500;
const DELETE = 'DELETE FROM dead_letters WHERE id = $1';

interface LockedLetter extends LetterContent {
  readonly partition: number;
}

export interface DecisionFollowerDeps {
  readonly eventStore: EventStore;
  readonly log: TrackingLog;
  readonly pool: Pool;
  readonly table: DeadLetterTable;
  readonly telemetry: DeadLettersTelemetry;
}

export class DecisionFollower implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stopping = new AbortController();
  #subscription: Subscription | undefined;
  #catchingUp: Promise<void> | undefined;

  constructor(private readonly deps: DecisionFollowerDeps) {}

  async onApplicationBootstrap(): Promise<void> {
    const { eventStore } = this.deps;
    // Of a letter that comes later, decisions come later, too.
    const end = await eventStore.end();
    this.#catchingUp = this.#catchUp();
    this.#subscription = await eventStore.subscribeAll(end, (event) => this.#follow(event));
  }

  /** Before the log closes. */
  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#catchingUp;
    await this.#subscription?.close();
  }

  /** What was decided before this process started and is not carried out yet; tried until it is. */
  async #catchUp(): Promise<void> {
    const { signal } = this.#stopping;
    for (let after: string | null = null, failures = 0; !signal.aborted;) {
      try {
        const letters = await this.deps.table.idsAfter(after, LETTERS_PER_PAGE);
        for (const letter of letters) {
          const decisions = this.deps.eventStore.readStream(DEAD_LETTER_STREAMS + letter);
          for await (const event of decisions) if (!signal.aborted) await this.#follow(event);
          after = letter;
        }
        failures = 0;
        if (letters.length < LETTERS_PER_PAGE) return;
      } catch (error) {
        this.deps.telemetry.heldUp(error);
        await sleep(backoffMs(failures++), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #follow(recorded: RecordedEvent): Promise<void> {
    if (!recorded.stream.startsWith(DEAD_LETTER_STREAMS)) return;
    const decision = recorded as unknown as DeadLetterEvent;
    // Another projector may have carried it out: then a question is enough.
    if (!(await this.deps.table.has(decision.data))) return;
    try {
      const outcome = await this.#inTransaction((client) => this.#carryOut(decision, client));
      if (outcome !== 'none') this.deps.telemetry.decided(outcome);
    } catch (error) {
      // Anything else may be over the next time: the subscription tries again.
      if (!isForGood(error)) throw error;
      this.deps.telemetry.impossible(decision, error.message);
    }
  }

  async #carryOut({ type, data }: DeadLetterEvent, client: PoolClient): Promise<DecisionOutcome | 'none'> {
    const { rows } = await client.query<LockedLetter>(
      'SELECT partition, batch, event FROM dead_letters WHERE id = $1 AND failed_at = $2 FOR UPDATE',
      [data.letter, data.failedAt],
    );
    const [letter] = rows;
    if (letter === undefined) return 'none';
    switch (type) {
      case 'DeadLetterReplayRequested':
        await appendAgain(this.deps.log, letter.partition, eventsOfLetter(letter));
        failpoint('dead-letters.before-delete');
        await client.query(DELETE, [data.letter]);
        return 'replayed';
      case 'DeadLetterDeletionRequested':
        await client.query(DELETE, [data.letter]);
        return 'deleted';
      default:
        // Of a newer version: a projector that knows it will do it.
        return 'none';
    }
  }

  async #inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.deps.pool.connect();
    // A connection that breaks fails the query under way; unheard, its event would end the process.
    const unheard = (): void => undefined;
    client.on('error', unheard);
    let failure: Error | undefined;
    try {
      await client.query(BEGIN);
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      client.off('error', unheard);
      // Dropping the connection rolls back.
      client.release(failure);
    }
  }
}

function isForGood(error: unknown): error is Error {
  return (
    error instanceof UnknownEventSchemaError ||
    error instanceof DamagedBatchError ||
    error instanceof InvalidAppendError ||
    (error instanceof BatchRefusedError && error.reason === 'batch-too-large')
  );
}
