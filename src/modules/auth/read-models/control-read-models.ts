// Keeps the control plane's tables as the event store says they are. Rows and the position up to which they were
// derived are written in one transaction, which begins by moving the position from where this node read on: of
// several nodes at the same events, one moves it and the others write nothing. Any node may stop at any time.
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource, EntityManager, EntityTarget, ObjectLiteral } from 'typeorm';
import type { EventStore, GlobalPosition, RecordedEvent } from '../../../event-store/event-store.js';
import type { Telemetry } from '../../../telemetry/telemetry.js';
import { backoffMs } from '../../../waiting/backoff.js';
import { within } from '../../../waiting/within.js';
import type { DirectoryFollower } from '../directories/directory-follower.js';
import { auditReadModel } from './audit.read-model.js';
import { deletionsReadModel } from './deletions.read-model.js';
import { keysReadModel } from './keys.read-model.js';
import { merchantsReadModel } from './merchants.read-model.js';
import type { ReadModel } from './read-model.js';
import { sitesReadModel } from './sites.read-model.js';

/** Raise it with every change of what rows hold: tables of a lower number are made anew. */
const DEFINITION = 2;
const NAME = 'control';
/** Deletions first: whose a site was is in its row until it is gone. */
const READ_MODELS: readonly ReadModel[] = [
  deletionsReadModel,
  merchantsReadModel,
  sitesReadModel,
  keysReadModel,
  auditReadModel,
];
export const READ_MODEL_ENTITIES: readonly EntityTarget<ObjectLiteral>[] = READ_MODELS.flatMap(
  ({ entities }) => entities,
);

const BATCH_EVENTS_MAX = 500;
const SETTLE_TIMEOUT_MS = 2_000;
/** The directories' follower wakes this one; should it hang, tables are this much late. */
const POLL_INTERVAL_MS = 10_000;

const FIND = `SELECT definition, position FROM control.read_models WHERE name = $1`;
const MOVE = `
  UPDATE control.read_models SET position = $1, stream = $5, revision = $6, recorded_at = $7
  WHERE name = $2 AND definition = $3 AND position IS NOT DISTINCT FROM $4`;
const BEGIN_ANEW = `
  INSERT INTO control.read_models (name, definition, position) VALUES ($1, $2, NULL)
  ON CONFLICT (name) DO UPDATE SET definition = $2, position = NULL
  WHERE read_models.definition < $2`;

interface Place {
  readonly definition: number;
  readonly position: GlobalPosition | null;
}

export interface ReadModelParts {
  readonly source: DataSource;
  readonly eventStore: EventStore;
  readonly telemetry: Telemetry;
  readonly follower: Pick<DirectoryFollower, 'listen'>;
}

export class ControlReadModels implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #running: Promise<void> | undefined;
  #closing = false;
  #woken = false;
  #wakeSleeper: (() => void) | undefined;
  #waiters: (() => void)[] = [];

  constructor(private readonly parts: ReadModelParts) {
    parts.follower.listen(() => this.#wake());
  }

  onApplicationBootstrap(): void {
    this.#running = this.#run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#closing = true;
    this.#wake();
    await this.#running;
  }

  /** Waits until the tables hold what is stored by now; false when that takes too long. */
  async settle(): Promise<boolean> {
    const settled = new Promise<boolean>((resolve) => this.#waiters.push(() => resolve(true)));
    this.#wake();
    return (await within(SETTLE_TIMEOUT_MS, settled)) ?? false;
  }

  /** One transaction for each batch of events, until there are no more, or another release keeps the tables. */
  async catchUp(): Promise<void> {
    for (;;) {
      const place = await this.#place();
      if (place.definition !== DEFINITION) return;
      if (await this.#advance(place.position)) return;
    }
  }

  /** False: another node is ahead, or was told to stop. */
  async #advance(from: GlobalPosition | null): Promise<boolean> {
    let position = from;
    let batch: RecordedEvent[] = [];
    for await (const event of this.parts.eventStore.readAll(position)) {
      batch.push(event);
      if (batch.length < BATCH_EVENTS_MAX) continue;
      if (this.#closing) return true;
      if (!(await this.#commit(position, batch))) return false;
      position = event.position;
      batch = [];
    }
    return batch.length === 0 || this.#commit(position, batch);
  }

  async #commit(from: GlobalPosition | null, events: readonly RecordedEvent[]): Promise<boolean> {
    return this.parts.source.transaction(async (manager) => {
      const { position: to, stream, revision, recordedAt } = events.at(-1)!;
      const values = [to, NAME, DEFINITION, from, stream, revision, recordedAt];
      if ((await changed(manager, MOVE, values)) === 0) return false;
      for (const readModel of READ_MODELS) await readModel.apply(events, manager);
      return true;
    });
  }

  async #place(): Promise<Place> {
    const [found] = await this.parts.source.query<Place[]>(FIND, [NAME]);
    if (found !== undefined && found.definition >= DEFINITION) return found;
    await this.#beginAnew();
    return this.#place();
  }

  /** The position first: whoever is writing is waited for, and whoever comes later finds another definition. */
  async #beginAnew(): Promise<void> {
    await this.parts.source.transaction(async (manager) => {
      if ((await changed(manager, BEGIN_ANEW, [NAME, DEFINITION])) === 0) return;
      const tables = READ_MODEL_ENTITIES.map((entity) => this.parts.source.getMetadata(entity).tablePath);
      for (const table of tables) await manager.query(`DELETE FROM ${table}`);
    });
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#closing) {
      this.#woken = false;
      // Only those who asked before the reading began may be told that it saw everything.
      const asked = this.#waiters.length;
      try {
        await this.catchUp();
        if (failures > 0) this.parts.telemetry.log.info('the tables of the control plane are kept again');
        failures = 0;
        for (const resolve of this.#waiters.splice(0, asked)) resolve();
        await this.#sleep(POLL_INTERVAL_MS);
      } catch (err) {
        if (failures === 0)
          this.parts.telemetry.log.warn({ err }, 'the tables of the control plane are not kept');
        // Not cut short by whoever waits: a server that is down would be asked without pause.
        this.#woken = false;
        await this.#sleep(backoffMs(failures++));
      }
    }
  }

  #wake(): void {
    this.#woken = true;
    this.#wakeSleeper?.();
  }

  #sleep(durationMs: number): Promise<void> {
    if (this.#woken || this.#closing) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakeSleeper = undefined;
        resolve();
      };
      const timer = setTimeout(wake, durationMs);
      this.#wakeSleeper = wake;
    });
  }
}

/** How many rows a statement wrote. */
async function changed(manager: EntityManager, sql: string, values: readonly unknown[]): Promise<number> {
  const { affected } = await manager.queryRunner!.query(sql, [...values], true);
  return affected ?? 0;
}
