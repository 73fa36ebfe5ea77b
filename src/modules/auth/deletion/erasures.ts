// Who erases which site, as rows: a lease that another node takes over when its owner has died, and how far it is.
// What remains to be done is not noted: it is the rows that are still there.
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { Lease } from './site-rows.js';

const LEASE_MS = 60_000;

export interface Erasure {
  readonly site: string;
  readonly startedAt: Date;
  readonly passes: number;
  readonly rows: number;
}

interface Row {
  readonly subject: string;
  readonly started_at: Date;
  readonly passes: number;
  readonly rows: string;
}

@Injectable()
export class Erasures {
  /** Of this process. */
  readonly #owner = randomUUID();

  constructor(private readonly pool: Pool) {}

  /** Undefined: another process is at it. */
  async take(site: string): Promise<Lease | undefined> {
    const { rowCount } = await this.pool.query(
      `INSERT INTO erasures AS held (subject, owner, until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
        ON CONFLICT (subject) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE held.until < now() OR held.owner = excluded.owner`,
      [site, this.#owner, LEASE_MS],
    );
    return rowCount === 1 ? { site, owner: this.#owner, leaseMs: LEASE_MS } : undefined;
  }

  /** After a pass; the rows that all passes have deleted. Another process may make the next one. */
  async passed({ site, owner }: Lease): Promise<number> {
    const { rows } = await this.pool.query<{ rows: string }>(
      `UPDATE erasures SET passes = passes + 1, until = '-infinity' WHERE subject = $1 AND owner = $2 RETURNING rows`,
      [site, owner],
    );
    return Number(rows[0]?.rows ?? 0);
  }

  async forget(sites: readonly string[]): Promise<void> {
    await this.pool.query('DELETE FROM erasures WHERE subject = ANY ($1)', [sites]);
  }

  async list(): Promise<readonly Erasure[]> {
    const { rows } = await this.pool.query<Row>('SELECT subject, started_at, passes, rows FROM erasures');
    return rows.map(({ subject, started_at, passes, rows: erased }) => ({
      site: subject,
      startedAt: started_at,
      passes,
      rows: Number(erased),
    }));
  }
}
