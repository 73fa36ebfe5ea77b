// Who erases what of which site or merchant, as rows: a lease that another node takes over when its owner has died,
// and how far it is. What remains to be done is not noted: it is what is still there.
import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { ErasureLostError, type Lease } from './owned-rows.js';

const LEASE_MS = 60_000;

@Injectable()
export class Erasures {
  /** Of this process. */
  readonly #owner = randomUUID();

  constructor(private readonly pool: Pool) {}

  /** Undefined: another process is at it. */
  async take(subject: string): Promise<Lease | undefined> {
    const { rowCount } = await this.pool.query(
      `INSERT INTO erasures AS held (subject, owner, until) VALUES ($1, $2, now() + $3 * interval '1 millisecond')
        ON CONFLICT (subject) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE held.until < now() OR held.owner = excluded.owner`,
      [subject, this.#owner, LEASE_MS],
    );
    return rowCount === 1 ? { subject, owner: this.#owner, leaseMs: LEASE_MS } : undefined;
  }

  /** @throws ErasureLostError */
  async extend({ subject, owner, leaseMs }: Lease): Promise<void> {
    const { rowCount } = await this.pool.query(
      `UPDATE erasures SET until = now() + $3 * interval '1 millisecond' WHERE subject = $1 AND owner = $2`,
      [subject, owner, leaseMs],
    );
    if (rowCount !== 1) throw new ErasureLostError(`Another process goes on with ${subject} by now`);
  }

  /** After a pass; the rows that all passes have deleted. Another process may make the next one. */
  async passed({ subject, owner }: Lease): Promise<number> {
    const { rows } = await this.pool.query<{ rows: string }>(
      `UPDATE erasures SET passes = passes + 1, until = '-infinity' WHERE subject = $1 AND owner = $2 RETURNING rows`,
      [subject, owner],
    );
    return Number(rows[0]?.rows ?? 0);
  }

  /** Before a pass was made. */
  async release({ subject, owner }: Lease): Promise<void> {
    await this.pool.query(`UPDATE erasures SET until = '-infinity' WHERE subject = $1 AND owner = $2`, [
      subject,
      owner,
    ]);
  }

  async forget(subject: string): Promise<void> {
    await this.pool.query('DELETE FROM erasures WHERE subject = $1', [subject]);
  }
}
