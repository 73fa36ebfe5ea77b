// What an answer about a site's days depends on, as a text that is another one as soon as a session of
// those days may have changed, by late events too. What happens to other sites, or on other days of this
// one, does not change it; so answers about days that are over last until something reaches them.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DatabaseError, Pool } from 'pg';
import { inTenantTransaction } from '../../postgres/tenant.js';
import {
  changedPeriodOf,
  changedPeriodsTable,
  changesSql,
} from '../projections/read-models/changed-periods.js';
import { timestamp } from './facts/sql-parameters.js';
import type { ReadModelsState } from './freshness.js';
import type { Range } from './request/date-range.js';

const REMEMBERED_MAX = 20_000;
const UNDEFINED_TABLE = '42P01';

interface Remembered {
  /** Of the read models when it was read: while that stays, nothing at all has changed. */
  readonly fingerprint: string;
  readonly changes: Promise<string>;
  /** Once they are there. */
  known?: string;
}

@Injectable()
export class SiteChanges {
  readonly #remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });

  constructor(private readonly pool: Pool) {}

  /** Asks PostgreSQL for a few short rows, only after a checkpoint has moved. */
  async of(site: string, range: Range, state: ReadModelsState): Promise<string> {
    const key = keyOf(site, range, state);
    const { fingerprint } = state;
    const known = this.#remembered.get(key);
    if (known?.fingerprint === fingerprint) return known.changes;
    const remembered: Remembered = { fingerprint, changes: this.#read(site, range, state) };
    this.#remembered.set(key, remembered);
    remembered.changes.then(
      (changes) => (remembered.known = changes),
      () => {
        if (this.#remembered.get(key) === remembered) this.#remembered.delete(key);
      },
    );
    return remembered.changes;
  }

  /** The same, if nobody has to be asked. */
  known(site: string, range: Range, state: ReadModelsState): string | undefined {
    const remembered = this.#remembered.get(keyOf(site, range, state));
    return remembered?.fingerprint === state.fingerprint ? remembered.known : undefined;
  }

  /** Whatever is remembered; null of a version that was made before this was written down. */
  async readNow(site: string, { from, to }: Range, version: number): Promise<string | null> {
    try {
      const table = changedPeriodsTable(version);
      const changes = changesSql(table, { site: '$1', from: '$2::timestamptz', to: '$3::timestamptz' });
      const values = [site, timestamp(from), timestamp(to)];
      const { rows } = await inTenantTransaction(this.pool, { site }, (client) =>
        client.query<{ changes: string }>(`SELECT ${changes} AS changes`, values),
      );
      return rows[0]!.changes;
    } catch (error) {
      if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) return null;
      throw error;
    }
  }

  /** Where it was not written down, whatever is committed counts. */
  async #read(site: string, range: Range, state: ReadModelsState): Promise<string> {
    return (await this.readNow(site, range, state.version)) ?? state.fingerprint;
  }
}

function keyOf(site: string, { from, to }: Range, { version }: ReadModelsState): string {
  return `${version} ${changedPeriodOf(from)} ${changedPeriodOf(to - 1)} ${site}`;
}
