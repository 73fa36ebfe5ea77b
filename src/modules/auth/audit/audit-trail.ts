// Who did what, when and from where, for the operator or for one merchant. From a table that follows the event store;
// an answer says whether it knew all that was stored. A merchant is told whom of its own something is by; of
// operators, that it was one.
import { Injectable } from '@nestjs/common';
import { cursorOf, cursorRefused, textOfCursor } from '../page.js';
import { ControlReadModels } from '../read-models/control-read-models.js';
import { AuditNames } from './audit-names.js';
import {
  type AuditPlace,
  type AuditRecord,
  type AuditSelection,
  type AuditSlice,
  AuditTable,
  type Reader,
} from './audit-table.js';

export interface AuditQuestion extends Pick<AuditSlice, 'order'> {
  /** Null: for the operator. */
  readonly reader: Reader;
  /** An account's id or e-mail address, a key's id or prefix, `operator`, or a part of the program. */
  readonly by: string | undefined;
  readonly selection: Omit<AuditSelection, 'by'>;
}

export interface AuditRequest extends AuditQuestion {
  readonly cursor: string | undefined;
  readonly limit: number;
}

export interface ShownEntry extends Omit<AuditRecord, 'entry'> {
  readonly entry: number;
  /** Of the account that did it; null: none did, or it was erased. */
  readonly email: string | null;
}

export interface AuditPage {
  readonly entries: readonly ShownEntry[];
  readonly nextCursor: string | null;
  /** False: of the last moments something may be missing. */
  readonly upToDate: boolean;
}

const OPERATOR = 'operator';
const PLACE = /^(\d{1,15})-(\d{1,18})$/;
const KEY_PREFIX = /^tm_\w{7}$/;
const EXPORT_PAGE_ROWS = 500;

@Injectable()
export class AuditTrail {
  constructor(
    private readonly table: AuditTable,
    private readonly readModels: ControlReadModels,
    private readonly names: AuditNames,
  ) {}

  /** @throws Problem when the cursor is none that was given out. */
  async page({ cursor, limit, ...question }: AuditRequest): Promise<AuditPage> {
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const upToDate = await this.readModels.settle();
    const selection = await this.#selectionOf(question);
    // One more than asked for tells whether there is a next page.
    const { order, reader } = question;
    const found = await this.table.read({ selection, order, after, limit: limit + 1 }, reader);
    const shown = found.slice(0, limit);
    const { at, entry } = shown.at(-1) ?? {};
    const isLast = found.length <= limit || at === undefined;
    return {
      entries: await this.#shown(shown, reader),
      nextCursor: isLast ? null : cursorOf(`${at.getTime()}-${entry}`),
      upToDate,
    };
  }

  /** All of it, a page at a time, and no page before the last one was taken. */
  async *pages(question: AuditQuestion): AsyncGenerator<readonly ShownEntry[], void, undefined> {
    const selection = await this.#selectionOf(question);
    const { order, reader } = question;
    for (let after: AuditPlace | undefined; ;) {
      const rows = await this.table.read({ selection, order, after, limit: EXPORT_PAGE_ROWS }, reader);
      if (rows.length > 0) yield await this.#shown(rows, reader);
      if (rows.length < EXPORT_PAGE_ROWS) return;
      after = rows.at(-1)!;
    }
  }

  settle(): Promise<boolean> {
    return this.readModels.settle();
  }

  async #selectionOf({ by, selection, reader }: AuditQuestion): Promise<AuditSelection> {
    if (by === undefined) return selection;
    // Whichever key an operator shows.
    if (by === OPERATOR) return { ...selection, kind: OPERATOR };
    const names = KEY_PREFIX.test(by) ? this.table.keysWithPrefix(by, reader) : this.names.meant(by, reader);
    return { ...selection, by: await names };
  }

  async #shown(rows: readonly AuditRecord[], reader: Reader): Promise<readonly ShownEntry[]> {
    const emails = await this.names.emailsOf(rows, reader);
    return rows.map((row) => ({
      ...(reader === null ? row : withoutOperator(row)),
      entry: Number(row.entry),
      email: emails.get(row.by) ?? null,
    }));
  }
}

/** @throws Problem */
function placeOf(cursor: string): AuditPlace {
  const [, atMs, entry] = PLACE.exec(textOfCursor(cursor)) ?? [];
  const at = new Date(Number(atMs));
  if (entry === undefined || Number.isNaN(at.getTime())) throw cursorRefused();
  return { at, entry };
}

/** Nothing of whoever acts for the installation, nor of whom it is not known. */
function withoutOperator(row: AuditRecord): AuditRecord {
  if (row.kind !== OPERATOR && row.kind !== null) return row;
  return { ...row, by: row.kind, country: null, client: null };
}
