// Which salt is a day's, decided once for all nodes in Postgres: by its fingerprint, which tells nothing
// of the salt. The salt itself is written beside it only where Redis cannot carry it.
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

export interface DecidedSalt {
  /** Undefined: written by a release that knew no fingerprints. */
  readonly fingerprint: string | undefined;
  /** The salt itself, if it had to be written. */
  readonly written: string | undefined;
  /** A node that could not find it in Redis wants it written. */
  readonly askedFor: boolean;
}

export interface SaltDecision {
  /** Days since 1970, UTC. */
  readonly day: number;
  /** 64 hexadecimal digits. */
  readonly salt: string;
  /** Of the salt that is given up; undefined: there must be none yet. */
  readonly instead?: string | undefined;
  readonly write: boolean;
}

const DAY_MS = 86_400_000;

export const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

export const fingerprintOf = (salt: string): string => createHash('sha256').update(salt).digest('hex');

export class SaltRegister {
  constructor(private readonly pool: Pick<Pool, 'query'>) {}

  async read(): Promise<ReadonlyMap<number, DecidedSalt>> {
    const { rows } = await this.pool.query<{
      day: number;
      fingerprint: string | null;
      written: string | null;
      asked: boolean | null;
    }>(
      `SELECT day - date '1970-01-01' AS day, encode(fingerprint, 'hex') AS fingerprint,
              encode(salt, 'hex') AS written, asked_for AS asked
         FROM salts.fingerprints FULL JOIN salts.daily USING (day)`,
    );
    return new Map(
      rows.map(({ day, fingerprint, written, asked }) => [
        day,
        { fingerprint: fingerprint ?? undefined, written: written ?? undefined, askedFor: asked ?? false },
      ]),
    );
  }

  /** Whoever comes first decides: false if it was another. */
  async decide({ day, salt, instead, write }: SaltDecision): Promise<boolean> {
    const decision =
      instead === undefined
        ? `INSERT INTO salts.fingerprints (day, fingerprint) VALUES ($1, decode($2, 'hex'))
           ON CONFLICT (day) DO NOTHING`
        : `UPDATE salts.fingerprints SET fingerprint = decode($2, 'hex')
            WHERE day = $1 AND fingerprint = decode($4, 'hex')`;
    const { rowCount } = await this.pool.query(
      `WITH decided AS (${decision} RETURNING day),
            written AS (INSERT INTO salts.daily (day, salt)
                        SELECT day, decode($3, 'hex') FROM decided WHERE $3 IS NOT NULL
                        ON CONFLICT (day) DO UPDATE SET salt = EXCLUDED.salt)
       SELECT day FROM decided`,
      [dateOf(day), fingerprintOf(salt), write ? salt : null, ...(instead === undefined ? [] : [instead])],
    );
    return rowCount === 1;
  }

  /** Unless another was decided meanwhile. */
  async write(day: number, salt: string): Promise<void> {
    await this.pool.query(
      `INSERT INTO salts.daily (day, salt)
       SELECT day, decode($2, 'hex') FROM salts.fingerprints
        WHERE day = $1 AND fingerprint = decode($3, 'hex')
       ON CONFLICT (day) DO UPDATE SET salt = EXCLUDED.salt`,
      [dateOf(day), salt, fingerprintOf(salt)],
    );
  }

  async askFor(day: number): Promise<void> {
    await this.pool.query('UPDATE salts.fingerprints SET asked_for = true WHERE day = $1', [dateOf(day)]);
  }

  async forgetBefore(day: number): Promise<void> {
    await this.pool.query('DELETE FROM salts.daily WHERE day < $1', [dateOf(day)]);
    await this.pool.query('DELETE FROM salts.fingerprints WHERE day < $1', [dateOf(day)]);
  }
}
