// The secret under which visitor ids are hashed: random, one per UTC day, the same on every node.
// A day's salt is made the day before, so that Postgres may be away at midnight, and deleted 48 h
// after its day began. Where none is to be had intake is unavailable: it is never a predictable one.
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { SaltPair } from './draft.js';
import type { IngestionTelemetry } from './ingestion.telemetry.js';

const DAY_MS = 86_400_000;
/** How long after midnight an event also carries the visitor's id of the day before. */
const OVERLAP_MS = 30 * 60_000;
const SALT_BYTES = 32;
const REFRESH_INTERVAL_MS = 10 * 60_000;
const RETRY_INTERVAL_MS = 10_000;

export interface SaltsDeps {
  readonly pool: Pick<Pool, 'query'>;
  readonly telemetry: Pick<IngestionTelemetry, 'saltsNotRefreshed'>;
  readonly now: () => number;
}

export class Salts {
  /** By day number: yesterday's, today's, tomorrow's. */
  private byDay = new Map<number, string>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private cached: { readonly pair: SaltPair; readonly from: number; readonly to: number } | undefined;

  constructor(private readonly deps: SaltsDeps) {}

  /** Undefined: none is known for that moment, and nothing may be received. */
  at(time: number): SaltPair | undefined {
    if (this.cached !== undefined && time >= this.cached.from && time < this.cached.to)
      return this.cached.pair;
    const day = Math.floor(time / DAY_MS);
    const current = this.byDay.get(day);
    if (current === undefined) return undefined;
    const overlapEnd = day * DAY_MS + OVERLAP_MS;
    const overlapping = time < overlapEnd;
    this.cached = {
      pair: { current, previous: overlapping ? this.byDay.get(day - 1) : undefined },
      from: overlapping ? day * DAY_MS : overlapEnd,
      to: overlapping ? overlapEnd : (day + 1) * DAY_MS,
    };
    return this.cached.pair;
  }

  /** Keeps the salts current until `stop`. Settles after the first attempt, whatever its outcome. */
  async start(): Promise<void> {
    const delayMs = await this.tryRefresh();
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.start(), delayMs);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async tryRefresh(): Promise<number> {
    try {
      await this.refresh();
      return REFRESH_INTERVAL_MS;
    } catch (error) {
      this.deps.telemetry.saltsNotRefreshed(error);
      this.forgetOld();
      return RETRY_INTERVAL_MS;
    }
  }

  /** Makes today's and tomorrow's where missing, deletes old ones, and reads what all nodes use. */
  async refresh(): Promise<void> {
    const { pool, now } = this.deps;
    const today = Math.floor(now() / DAY_MS);
    // Whoever comes first decides; the others' bytes are thrown away.
    await pool.query(
      'INSERT INTO salts.daily (day, salt) VALUES ($1, $2), ($3, $4) ON CONFLICT (day) DO NOTHING',
      [dateOf(today), randomBytes(SALT_BYTES), dateOf(today + 1), randomBytes(SALT_BYTES)],
    );
    await pool.query('DELETE FROM salts.daily WHERE day < $1', [dateOf(today - 1)]);
    const { rows } = await pool.query<{ day: number; salt: string }>(
      `SELECT day - date '1970-01-01' AS day, encode(salt, 'hex') AS salt FROM salts.daily`,
    );
    this.byDay = new Map(rows.map(({ day, salt }) => [day, salt]));
    this.forgetOld();
  }

  /** Also while Postgres is away: what must be gone is gone from memory. */
  private forgetOld(): void {
    this.cached = undefined;
    const yesterday = Math.floor(this.deps.now() / DAY_MS) - 1;
    for (const day of this.byDay.keys()) if (day < yesterday) this.byDay.delete(day);
  }
}

const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
