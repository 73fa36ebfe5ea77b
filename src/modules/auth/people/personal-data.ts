// What is kept of people outside the event store, and what opens what is sealed in it: gone once they are erased.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { personStream } from './person.aggregate.js';
import { Sealer } from './sealing.js';

const FORGET_SIGN_INS = 'DELETE FROM people.sign_ins WHERE person = $1';
const FORGET_CODES = 'DELETE FROM people.one_time_codes WHERE person = $1';
const REMAINING = `
  SELECT subject AS person,
         ARRAY(SELECT merchant FROM control.members WHERE members.person = deletions.subject) AS merchants
  FROM control.deletions
  WHERE kind = 'person' AND ($1::timestamptz IS NULL OR deleted_at > $1) AND (
    EXISTS (SELECT FROM people.data_keys WHERE data_keys.subject = '${personStream('')}' || deletions.subject)
    OR EXISTS (SELECT FROM people.sign_ins WHERE sign_ins.person = deletions.subject)
    OR EXISTS (SELECT FROM people.one_time_codes WHERE one_time_codes.person = deletions.subject)
    OR EXISTS (SELECT FROM control.members WHERE members.person = deletions.subject))`;

/** Of somebody who was erased. */
export interface Remains {
  readonly person: string;
  /** Of which they are still a member. */
  readonly merchants: readonly string[];
}

@Injectable()
export class PersonalData {
  constructor(
    private readonly pool: Pool,
    private readonly sealer: Sealer,
  ) {}

  /** The key first: it is what opens the rest. */
  async forget(person: string): Promise<void> {
    await this.sealer.destroy(personStream(person));
    await this.pool.query(FORGET_SIGN_INS, [person]);
    await this.pool.query(FORGET_CODES, [person]);
  }

  /** @param since null: of everybody who was ever erased. */
  async remaining(since: Date | null): Promise<readonly Remains[]> {
    return (await this.pool.query<Remains>(REMAINING, [since])).rows;
  }
}
