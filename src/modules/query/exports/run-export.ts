// Works on an export: page after page of the sessions, of the version of the facts that served when it began,
// into a file, chunk by chunk. Another version that is promoted meanwhile changes nothing; where the version
// is removed, the file is begun anew from the one that serves, so that none is a mixture of two.
import { setImmediate } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import type { SessionsAsked } from '../facts/session-selection.js';
import { refuseUnknownPatterns } from '../facts/unknown-patterns.js';
import type { Freshness } from '../freshness.js';
import { incompleteMeta } from '../incomplete.js';
import { JobLostError } from '../jobs/job-queue.js';
import type { Progress } from '../jobs/job.js';
import type { JobTask, JobWork, WorkDone } from '../jobs/job-work.js';
import { inReadTransaction } from '../read-transaction.js';
import { isEventFilter } from '../request/filters.js';
import type { SiteChanges } from '../site-changes.js';
import type { ExportColumns } from './export-columns.js';
import type { ExportFile } from './export-file.js';
import { type ExportFormat, type KeptExport, sessionsOf } from './export-request.js';
import { eventsOf, EXPORTED_EVENT } from './exported-events.js';
import { EXPORTED_SESSION } from './exported-sessions.js';
import { NdjsonFile } from './ndjson-file.js';
import { ParquetFile } from './parquet-file.js';
import {
  countSessions,
  FIRST_PAGE_ROWS,
  type PagePlace,
  readSessionPage,
  type SessionCounts,
  type SessionPage,
  type SessionRow,
} from './session-pages.js';

export const EXPORT_KIND = 'export';

const CHUNK_BYTES = 1_048_576;
/** How long an export may count what it has before it; longer, and nobody knows how much it is. */
const COUNT_TIMEOUT_MS = 5_000;
const REPORT_INTERVAL_MS = 1_000;
const TOO_COSTLY = 422;
const GONE = 503;

/** Where an export is: kept with each chunk. */
interface ExportCursor {
  readonly version: number;
  readonly table: string;
  readonly label: string;
  readonly watermark: string | null;
  /** What the rows of the range depend on, when it began; null: nobody wrote that down. */
  readonly changes: string | null;
  readonly sessionsExpected: number | null;
  readonly rowsExpected: number | null;
  readonly sessions: number;
  readonly rows: number;
  readonly after: PagePlace | null;
}

export interface ExportDeps {
  readonly pool: Pool;
  readonly config: Pick<Config, 'JOB_QUERY_TIMEOUT_MS'>;
  readonly freshness: Freshness;
  readonly changes: SiteChanges;
}

class VersionRemovedError extends Error {
  override readonly name = 'VersionRemovedError';
}

export class ExportWork implements JobWork {
  readonly kinds = [EXPORT_KIND];

  constructor(private readonly deps: ExportDeps) {}

  async run(task: JobTask): Promise<WorkDone> {
    for (let cursor = task.job.cursor; ; cursor = null) {
      try {
        return await new Export(task, this.deps).run(cursor);
      } catch (error) {
        if (!(error instanceof VersionRemovedError)) throw error;
        await task.result.startAnew();
      }
    }
  }
}

/** One try, from a cursor to the end of the file. */
class Export {
  readonly #asked: KeptExport;
  readonly #sessions: SessionsAsked;
  readonly #sheet: Sheet;
  #reportedMs = performance.now();

  constructor(
    private readonly task: JobTask,
    private readonly deps: ExportDeps,
  ) {
    this.#asked = JSON.parse(task.job.request) as KeptExport;
    this.#sessions = sessionsOf(task.job.site, this.#asked);
    this.#sheet = sheetOf(this.#asked);
  }

  async run(written: string | null): Promise<WorkDone> {
    const { result } = this.task;
    const { file } = this.#sheet;
    let cursor = await this.#begin(written);
    let rowsMax = FIRST_PAGE_ROWS;
    for (;;) {
      if (this.task.signal.aborted) throw new JobLostError();
      const page = await this.#page(cursor, rowsMax);
      cursor = this.#take(page.rows, cursor);
      if (page.isLast) break;
      rowsMax = page.rowsMax;
      if (file.pendingBytes >= CHUNK_BYTES) await this.#append(file.take(), cursor);
      else await this.#reportNowAndThen(cursor);
      await setImmediate();
    }
    const rest = file.end();
    if (rest.length > 0 || result.bytes === 0) await this.#append(rest, cursor);
    return {
      contentType: file.contentType,
      rows: cursor.rows,
      about: JSON.stringify(await this.#about(cursor)),
    };
  }

  async #begin(written: string | null): Promise<ExportCursor> {
    if (written !== null) {
      if (this.#sheet.file.canBeContinued) return JSON.parse(written) as ExportCursor;
      await this.task.result.startAnew();
    }
    const { site } = this.#sessions;
    const { version, projections } = await this.deps.freshness.of(site);
    const { table, label, watermark } = projections.sessions;
    const changes = await this.deps.changes.readNow(site, this.#asked.range, version);
    const counts = await this.#count(table);
    const knowsRows = this.#asked.asked.what === 'sessions' || !this.#sessions.filters.some(isEventFilter);
    const rows = this.#asked.asked.what === 'sessions' ? counts?.sessions : counts?.events;
    return {
      ...{ version, table, label, changes, sessions: 0, rows: 0, after: null },
      watermark: watermark?.toISOString() ?? null,
      sessionsExpected: counts?.sessions ?? null,
      rowsExpected: (knowsRows ? rows : null) ?? null,
    };
  }

  /** Null where that would take too long. */
  async #count(table: string): Promise<SessionCounts | null> {
    const { pool, config } = this.deps;
    const timeoutMs = Math.min(COUNT_TIMEOUT_MS, config.JOB_QUERY_TIMEOUT_MS);
    try {
      return await inReadTransaction(pool, { site: this.#sessions.site, timeoutMs }, async (client) => {
        await refuseUnknownPatterns(client, this.#sessions.filters);
        return countSessions(client, { what: this.#asked.asked.what, table, sessions: this.#sessions });
      });
    } catch (error) {
      if (error instanceof Problem && error.options.status === TOO_COSTLY) return null;
      throw error;
    }
  }

  async #page({ table, version, after }: ExportCursor, rowsMax: number): Promise<SessionPage> {
    const { pool, config, freshness } = this.deps;
    const sessions = this.#sessions;
    const { what } = this.#asked.asked;
    try {
      return await inReadTransaction(
        pool,
        { site: sessions.site, timeoutMs: config.JOB_QUERY_TIMEOUT_MS },
        (client) => readSessionPage(client, { what, table, sessions, after, rowsMax }),
      );
    } catch (error) {
      const isGone = error instanceof Problem && error.options.status === GONE;
      if (isGone && (await freshness.of(sessions.site)).version !== version) throw new VersionRemovedError();
      throw error;
    }
  }

  #take(sessions: readonly SessionRow[], cursor: ExportCursor): ExportCursor {
    const last = sessions.at(-1);
    if (last === undefined) return cursor;
    let { rows } = cursor;
    for (const session of sessions) rows += this.#sheet.add(session);
    return {
      ...cursor,
      rows,
      sessions: cursor.sessions + sessions.length,
      after: { startedAt: last.started_at, key: last.key },
    };
  }

  #append(bytes: Buffer, cursor: ExportCursor): Promise<void> {
    this.#reportedMs = performance.now();
    return this.task.result.append(bytes, this.#progress(cursor), JSON.stringify(cursor));
  }

  async #reportNowAndThen(cursor: ExportCursor): Promise<void> {
    if (performance.now() - this.#reportedMs < REPORT_INTERVAL_MS) return;
    this.#reportedMs = performance.now();
    await this.task.report(this.#progress(cursor));
  }

  #progress({ sessions, sessionsExpected, rows, rowsExpected, after }: ExportCursor): Progress {
    const { from, to } = this.#asked.range;
    const share =
      sessionsExpected === null
        ? ((after?.startedAt ?? from) - from) / (Math.min(to, this.task.job.createdAt.getTime()) - from)
        : sessions / sessionsExpected;
    const bounded = Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : null;
    return { rows, rowsExpected, share: bounded };
  }

  async #about({ version, label, watermark, changes }: ExportCursor): Promise<object> {
    const { site } = this.#sessions;
    const now = await this.deps.changes.readNow(site, this.#asked.range, version);
    return {
      projection: label,
      watermark,
      ...incompleteMeta(this.#asked.incomplete),
      changed_meanwhile: now === null || changes === null ? null : now !== changes,
    };
  }
}

/** Both kinds of rows come from sessions. */
interface Sheet {
  readonly file: Pick<ExportFile<never>, 'contentType' | 'canBeContinued' | 'pendingBytes' | 'take' | 'end'>;
  /** Says how many rows that were. */
  readonly add: (session: SessionRow) => number;
}

function sheetOf({ asked: { what, format }, range }: KeptExport): Sheet {
  if (what === 'sessions') {
    const file = fileOf(what, EXPORTED_SESSION, format);
    const add = (session: SessionRow) => {
      file.add(session);
      return 1;
    };
    return { file, add };
  }
  const file = fileOf(what, EXPORTED_EVENT, format);
  const add = (session: SessionRow) => {
    let rows = 0;
    for (const event of eventsOf(session, range)) {
      file.add(event);
      rows++;
    }
    return rows;
  };
  return { file, add };
}

const fileOf = <Row>(name: string, columns: ExportColumns<Row>, format: ExportFormat): ExportFile<Row> =>
  format === 'ndjson' ? new NdjsonFile(columns) : new ParquetFile(name, columns);
