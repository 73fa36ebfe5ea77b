// What directories knew at some position, in PostgreSQL, whichever event store there is, so that a node that
// starts reads their state and then only the events that came later. A snapshot is a copy and never the truth: one
// that is absent, of another format, damaged or of another store is passed over, and all events are read. Written in one
// transaction by one node at a time; read in one, so that one that is replaced meanwhile is read to its end.
import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { crc32 } from 'node:zlib';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { inReadSnapshot } from '../../../postgres/read-snapshot.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import type { Directory } from './directory.js';
import type { Mark } from './mark.js';

const PART_CHARACTERS = 1 << 20;
const PARTS_PER_READ = 8;
const EVERYBODYS = { timeoutMs: 30_000, tenant: null };
const WRITE_TIMEOUT_MS = 60_000;
/** Any constant will do, as long as nothing else in the database locks the same one. */
const WRITE_LOCK = 7_236_021_544_199;

// Those of more directories serve nodes that have fewer: an intake node reads what an api node wrote.
const FIND = `
  SELECT id, position, stream, revision, recorded_at AS "recordedAt", parts FROM directory_snapshots
  WHERE formats @> $1 ORDER BY written_at DESC, id LIMIT 1`;
const READ = `
  SELECT number, directory, checksum, lines FROM directory_snapshot_parts
  WHERE snapshot = $1 AND number >= $2 ORDER BY number LIMIT ${PARTS_PER_READ}`;
const BEGIN = `
  BEGIN;
  SET LOCAL statement_timeout = ${WRITE_TIMEOUT_MS};
  SET LOCAL idle_in_transaction_session_timeout = ${WRITE_TIMEOUT_MS}`;
const INSERT = `
  INSERT INTO directory_snapshots (formats, position, stream, revision, recorded_at, parts)
  VALUES ($1, $2, $3, $4, $5, 0) RETURNING id`;
const INSERT_PART = `
  INSERT INTO directory_snapshot_parts (snapshot, number, directory, checksum, lines) VALUES ($1, $2, $3, $4, $5)`;
const COMPLETE = `UPDATE directory_snapshots SET parts = $2 WHERE id = $1`;
// What this one replaces; and those of releases and compositions that nobody has written for long.
const REMOVE_OTHERS = `
  DELETE FROM directory_snapshots
  WHERE id <> $1 AND (formats <@ $2 OR written_at < now() - interval '30 days')`;

interface SnapshotRow extends Mark {
  readonly id: string;
  readonly parts: number;
}

interface PartRow {
  readonly number: number;
  readonly directory: string;
  readonly checksum: number;
  readonly lines: string;
}

class SnapshotDamagedError extends Error {
  override readonly name = 'SnapshotDamagedError';
}

@Injectable()
export class DirectorySnapshots {
  /** The one that was there when this node started. */
  #basis: string | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly telemetry: Telemetry,
  ) {}

  /**
   * Brings empty directories to what the newest snapshot of them says, if the store `contains` the event that it
   * ends with. Undefined: there is none that can be used, and they are empty.
   */
  async restore(
    directories: readonly Directory[],
    contains: (mark: Mark) => Promise<boolean>,
  ): Promise<Mark | undefined> {
    try {
      return await inReadSnapshot(this.pool, EVERYBODYS, async (client) => {
        const { rows } = await client.query<SnapshotRow>(FIND, [formatsOf(directories)]);
        const [found] = rows;
        this.#basis = found?.id;
        if (found === undefined) return undefined;
        if (!(await contains(found))) {
          throw new SnapshotDamagedError('It ends with an event that the event store does not have.');
        }
        await readParts(client, found, directories);
        return found;
      });
    } catch (err) {
      this.telemetry.log.warn({ err }, 'the snapshot of the directories is of no use: all events are read');
      for (const directory of directories) directory.clear();
      return undefined;
    }
  }

  /** Nothing may be applied meanwhile. False: another node is at it, or has done it since this one started. */
  async write(directories: readonly Directory[], mark: RecordedEvent): Promise<boolean> {
    const client = await this.pool.connect();
    try {
      await client.query(BEGIN);
      const isWritten = (await this.#isOurs(client, directories)) && (await write(client, directories, mark));
      await client.query(isWritten ? 'COMMIT' : 'ROLLBACK');
      client.release();
      return isWritten;
    } catch (err) {
      client.release(true);
      this.telemetry.log.warn({ err }, 'no snapshot of the directories could be written');
      return false;
    }
  }

  async #isOurs(client: PoolClient, directories: readonly Directory[]): Promise<boolean> {
    const lock = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [
      WRITE_LOCK,
    ]);
    if (!lock.rows[0]!.locked) return false;
    const { rows } = await client.query<SnapshotRow>(FIND, [formatsOf(directories)]);
    return rows[0]?.id === this.#basis;
  }
}

const formatsOf = (directories: readonly Directory[]): string =>
  JSON.stringify(Object.fromEntries(directories.map(({ name, format }) => [name, format])));

async function readParts(
  client: PoolClient,
  { id, parts }: SnapshotRow,
  directories: readonly Directory[],
): Promise<void> {
  const byName = new Map(directories.map((directory) => [directory.name, directory]));
  let next = 0;
  for (;;) {
    const { rows } = await client.query<PartRow>(READ, [id, next]);
    if (rows.length === 0) break;
    for (const { number, directory, checksum, lines } of rows) {
      if (number !== next || (crc32(lines) | 0) !== checksum) {
        throw new SnapshotDamagedError(`Part ${next} of ${parts} is damaged or not there.`);
      }
      restoreLines(byName.get(directory), lines);
      next++;
    }
  }
  if (next !== parts) throw new SnapshotDamagedError(`It has ${next} parts instead of ${parts}.`);
}

function restoreLines(directory: Directory | undefined, lines: string): void {
  if (directory === undefined) return;
  for (let from = 0; from < lines.length;) {
    const to = lines.indexOf('\n', from);
    directory.restore(lines.slice(from, to));
    from = to + 1;
  }
}

async function write(
  client: PoolClient,
  directories: readonly Directory[],
  { position, stream, revision, recordedAt }: RecordedEvent,
): Promise<true> {
  const formats = formatsOf(directories);
  const inserted = await client.query<{ id: string }>(INSERT, [
    ...[formats, position, stream, revision],
    recordedAt,
  ]);
  const { id } = inserted.rows[0]!;
  let number = 0;
  for (const { directory, lines } of partsOf(directories)) {
    await client.query(INSERT_PART, [id, number++, directory, crc32(lines) | 0, lines]);
  }
  await client.query(COMPLETE, [id, number]);
  await client.query(REMOVE_OTHERS, [id, formats]);
  return true;
}

/** Each line ends with a line break. */
function* partsOf(directories: readonly Directory[]): Iterable<Pick<PartRow, 'directory' | 'lines'>> {
  for (const directory of directories) {
    let lines: string[] = [];
    let characters = 0;
    for (const line of directory.lines()) {
      lines.push(line, '\n');
      characters += line.length + 1;
      if (characters < PART_CHARACTERS) continue;
      yield { directory: directory.name, lines: lines.join('') };
      lines = [];
      characters = 0;
    }
    if (characters > 0) yield { directory: directory.name, lines: lines.join('') };
  }
}
