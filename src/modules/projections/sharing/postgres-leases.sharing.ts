// Sharing by leases in PostgreSQL, for logs that have no consumer groups. Every second each projector
// renews its presence and its leases in one statement, takes what is free up to its fair share, and
// lets go of what is beyond it, once the work on it has ended. The database's clock is the only one.
//
// A lease is free when it has run out; or, so that a killed process needs not be waited for, when it
// was not renewed for a moment and its owner's connection, which holds an advisory lock, is gone.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { settingsOf } from '../../../postgres/pool-settings.js';
import type { Partition } from '../../../tracking-log/tracking-log.js';
import { Assignments } from './assignments.js';
import { fairShare } from './fair-share.js';
import { MEMBERSHIP_MS, type PartitionHolder, PartitionSharing, TENURE_MS } from './partition-sharing.js';
import type { SharingTelemetry } from './sharing.telemetry.js';
import { Tenure } from './tenure.js';

const ROUND_INTERVAL_MS = 1_000;
/** Of a projector without connection: long enough to connect again after PostgreSQL was restarted. */
const SILENCE_MS = 2_500;
const ANSWER_TIMEOUT_MS = 3_000;
/** First key of the advisory locks that say "connected"; the second is the projector's number. */
const PRESENCE_LOCKS = 7_433_003;
const PROJECTORS_MAX = 2_147_483_647;

const CONNECTED = `ARRAY(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND classid = ${PRESENCE_LOCKS} AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

const isOver = (owner: string): string =>
  `(until < now() OR until < now() + interval '${MEMBERSHIP_MS - SILENCE_MS} ms' AND ${owner} <> ALL (${CONNECTED}))`;

const RENEWED = `now() + interval '${MEMBERSHIP_MS} ms'`;

/** The lock belongs to the connection, and taking it again does nothing. */
const RENEW = `
  WITH present AS (
    INSERT INTO projectors (projector, until) VALUES ($1, ${RENEWED})
    ON CONFLICT (projector) DO UPDATE SET until = excluded.until
  ), renewed AS (
    UPDATE partition_leases SET until = ${RENEWED} WHERE owner = $1 RETURNING partition
  )
  SELECT pg_try_advisory_lock_shared(${PRESENCE_LOCKS}, $1::integer),
    ARRAY(SELECT partition FROM renewed ORDER BY partition) AS held,
    ARRAY(SELECT projector FROM projectors WHERE projector = $1 OR NOT ${isOver('projector')}
          ORDER BY joined_at, projector) AS members`;

const ADD_LEASES = `
  INSERT INTO partition_leases (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING`;

/** Who comes second finds the row locked and passes it over. */
const TAKE = `
  WITH free AS (
    SELECT partition FROM partition_leases WHERE partition < $2 AND (owner IS NULL OR ${isOver('owner')})
    ORDER BY partition LIMIT $3 FOR UPDATE SKIP LOCKED
  )
  UPDATE partition_leases AS lease SET owner = $1, until = ${RENEWED}
  FROM free WHERE lease.partition = free.partition RETURNING lease.partition`;

const LET_GO = `UPDATE partition_leases SET owner = NULL WHERE owner = $1 AND partition = ANY($2::integer[])`;

const LEAVE = `
  WITH gone AS (DELETE FROM projectors WHERE projector = $1 OR until < now() - interval '1 hour')
  UPDATE partition_leases SET owner = NULL WHERE owner = $1`;

export interface LeasesOptions {
  /** Of the same database; its settings are taken over. */
  readonly pool: Pool;
  readonly partitions: number;
  readonly telemetry: SharingTelemetry;
}

export class PostgresLeases extends PartitionSharing {
  readonly #self = randomInt(1, PROJECTORS_MAX);
  /** Of its own: renewing must not wait for commits and queries. */
  readonly #connection: Pool;
  readonly #leaving = new AbortController();
  readonly #lettingGo = new Set<Partition>();
  readonly #tenure = new Tenure(TENURE_MS, () => void this.#assignments?.become([]));
  #assignments: Assignments | undefined;
  #rounds: Promise<void> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: LeasesOptions) {
    super();
    this.#connection = new Pool({
      ...settingsOf(options.pool),
      application_name: 'tidemark-leases',
      max: 1,
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      // A lease lost in a crash of the server costs nothing but taking it again.
      options: '-c synchronous_commit=off',
    });
    // A connection that drops while idle: the next round notices.
    this.#connection.on('error', () => undefined);
  }

  async join(holder: PartitionHolder): Promise<void> {
    this.#assignments = new Assignments(holder, this.options.telemetry);
    await this.recheck();
    this.#running = this.#goRound();
  }

  recheck(): Promise<void> {
    this.#rounds = this.#rounds.then(() => this.#tryRound());
    return this.#rounds;
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#running;
    await this.#rounds;
    this.#tenure.end();
    await this.#assignments?.become([]);
    // Where this fails, the others notice that the connection is gone.
    await this.#connection.query(LEAVE, [this.#self]).catch((error) => this.options.telemetry.failed(error));
    await this.#connection.end();
  }

  async #goRound(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      await sleep(ROUND_INTERVAL_MS, undefined, { signal }).catch(() => {});
      await this.recheck();
    }
  }

  async #tryRound(): Promise<void> {
    if (this.#leaving.signal.aborted) return;
    try {
      await this.#round();
      this.options.telemetry.succeeded();
    } catch (error) {
      this.options.telemetry.failed(error);
    }
  }

  async #round(): Promise<void> {
    const askedAt = performance.now();
    const { rows } = await this.#connection.query<{ held: Partition[]; members: number[] }>(RENEW, [
      this.#self,
    ]);
    const { held, members } = rows[0]!;
    this.#tenure.renew(askedAt);
    const share = fairShare(this.options.partitions, { members, self: this.#self });
    const staying = held.filter((partition) => !this.#lettingGo.has(partition));
    const tooMany = staying.splice(share);
    const taken = staying.length < share ? await this.#take(share - staying.length) : [];
    for (const partition of tooMany) this.#lettingGo.add(partition);
    const ended = this.#assignments!.become([...staying, ...taken]);
    // Not awaited: while the work ends, the leases are renewed.
    if (tooMany.length > 0) void ended.then(() => this.#letGo(tooMany));
  }

  async #take(count: number): Promise<readonly Partition[]> {
    const { partitions } = this.options;
    await this.#connection.query(ADD_LEASES, [partitions]);
    const { rows } = await this.#connection.query<{ partition: Partition }>(TAKE, [
      this.#self,
      partitions,
      count,
    ]);
    return rows.map(({ partition }) => partition);
  }

  /** Where this fails, they are found among those held, and let go of again. */
  async #letGo(partitions: readonly Partition[]): Promise<void> {
    try {
      await this.#connection.query(LET_GO, [this.#self, partitions]);
    } catch (error) {
      this.options.telemetry.failed(error);
    }
    for (const partition of partitions) this.#lettingGo.delete(partition);
  }
}
