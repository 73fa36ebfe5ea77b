// Which requests with an Idempotency-Key are under way and what they were answered, for a day. Each is
// claimed before it is carried out; of any number at once one gets the claim. An attempt without an answer
// by its deadline is taken for dead, and whoever sends the same again carries on with the same salt: so it
// draws the same ids and finds what the dead one has made.
import { randomBytes, randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

export const KEPT_HOURS = 24;
/** Longer than any command takes; whatever is slower still collides with what the other attempt made. */
const ATTEMPT_TIMEOUT_MS = 30_000;
const SALT_BYTES = 32;
const TRIES_MAX = 5;
const REAPED_ROWS_MAX = 1_000;

export interface RepeatableRequest {
  /** Who asked where with which Idempotency-Key, as a digest. */
  readonly name: Buffer;
  /** What was asked, as a digest. */
  readonly request: Buffer;
}

export interface Claim {
  readonly name: Buffer;
  readonly attempt: string;
  readonly salt: Buffer;
  /** Nobody has tried before: as long as this attempt has made nothing, nothing was made. */
  readonly isFirst: boolean;
}

export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly claim: Claim }
  | { readonly outcome: 'answered'; readonly answer: Buffer }
  | { readonly outcome: 'other-request' }
  | { readonly outcome: 'under-way' };

@Injectable()
export class RepeatableRequests {
  constructor(private readonly pool: Pool) {}

  async claim({ name, request }: RepeatableRequest): Promise<ClaimOutcome> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const claim = await this.#claim({ name, request });
      if (claim !== undefined) return { outcome: 'claimed', claim };
      const { rows } = await this.pool.query<{ is_same: boolean; answer: Buffer | null }>(
        'SELECT request = $2 AS is_same, answer FROM repeatable_requests WHERE name = $1',
        [name, request],
      );
      const [other] = rows;
      if (other === undefined) continue; // forgotten in between
      if (!other.is_same) return { outcome: 'other-request' };
      return other.answer === null ? { outcome: 'under-way' } : { outcome: 'answered', answer: other.answer };
    }
    return { outcome: 'under-way' };
  }

  async #claim({ name, request }: RepeatableRequest): Promise<Claim | undefined> {
    const attempt = randomUUID();
    const { rows } = await this.pool.query<{ salt: Buffer; is_first: boolean }>(
      `INSERT INTO repeatable_requests AS kept (name, request, salt, attempt, until)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 ms')
       ON CONFLICT (name) DO UPDATE
          SET request = excluded.request, attempt = excluded.attempt, until = excluded.until, answer = NULL,
              (salt, created_at) = (SELECT CASE WHEN is_over THEN excluded.salt ELSE kept.salt END,
                                           CASE WHEN is_over THEN now() ELSE kept.created_at END
                                      FROM (SELECT kept.created_at < now() - $6 * interval '1 hour' AS is_over) AS age)
        WHERE kept.created_at < now() - $6 * interval '1 hour'
           OR (kept.answer IS NULL AND kept.until <= now() AND kept.request = excluded.request)
       RETURNING salt, xmax = 0 AS is_first`,
      [name, request, randomBytes(SALT_BYTES), attempt, ATTEMPT_TIMEOUT_MS, KEPT_HOURS],
    );
    const [row] = rows;
    return row && { name, attempt, salt: row.salt, isFirst: row.is_first };
  }

  /** Does nothing once another attempt has taken over. */
  async keep({ name, attempt }: Claim, answer: Buffer): Promise<void> {
    await this.pool.query('UPDATE repeatable_requests SET answer = $3 WHERE name = $1 AND attempt = $2', [
      name,
      attempt,
      answer,
    ]);
  }

  /** Refused before anything was made: the Idempotency-Key is free again. */
  async forget({ name, attempt }: Claim): Promise<void> {
    await this.pool.query('DELETE FROM repeatable_requests WHERE name = $1 AND attempt = $2', [
      name,
      attempt,
    ]);
  }

  /** Something may have been made: the same request, and no other, may be sent again at once. */
  async giveUp({ name, attempt }: Claim): Promise<void> {
    await this.pool.query('UPDATE repeatable_requests SET until = now() WHERE name = $1 AND attempt = $2', [
      name,
      attempt,
    ]);
  }

  /** What is a day old, some at a time, so that no statement is long. */
  async reap(): Promise<void> {
    for (;;) {
      const { rowCount } = await this.pool.query(
        `DELETE FROM repeatable_requests WHERE name IN (
           SELECT name FROM repeatable_requests WHERE created_at < now() - $1 * interval '1 hour'
            LIMIT $2 FOR UPDATE SKIP LOCKED)`,
        [KEPT_HOURS, REAPED_ROWS_MAX],
      );
      if ((rowCount ?? 0) < REAPED_ROWS_MAX) return;
    }
  }
}
