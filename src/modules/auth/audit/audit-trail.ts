// Who did what, when and from where, for the operator or for one merchant. From a table that follows the event store;
// an answer says whether it knew all that was stored. E-mail addresses are opened while they are read: who was
// erased since is an id. A merchant is told whom of its own something is by; of operators, that it was one.
import { Injectable } from '@nestjs/common';
import { MemberDirectory } from '../merchants/member.directory.js';
import { cursorOf, cursorRefused, textOfCursor } from '../page.js';
import { normaliseEmail } from '../people/email-address.js';
import { People } from '../people/people.js';
import { personStream } from '../people/person.aggregate.js';
import type { AuditRow } from '../read-models/audit.read-model.js';
import { ControlReadModels } from '../read-models/control-read-models.js';
import { type AuditSelection, type AuditSlice, AuditTable, type Reader } from './audit-table.js';

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

export interface ShownEntry extends AuditRow {
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
const ENTRY = /^\d{1,18}$/;
const KEY_PREFIX = /^tm_\w{7}$/;
const PERSONS = personStream('');
const EXPORT_PAGE_ROWS = 500;

@Injectable()
export class AuditTrail {
  constructor(
    private readonly table: AuditTable,
    private readonly readModels: ControlReadModels,
    private readonly people: People,
    private readonly members: MemberDirectory,
  ) {}

  /** @throws Problem when the cursor is none that was given out. */
  async page({ cursor, limit, ...question }: AuditRequest): Promise<AuditPage> {
    const after = cursor === undefined ? undefined : textOfCursor(cursor);
    if (after !== undefined && !ENTRY.test(after)) throw cursorRefused();
    const upToDate = await this.readModels.settle();
    const selection = await this.#selectionOf(question);
    // One more than asked for tells whether there is a next page.
    const { order, reader } = question;
    const found = await this.table.read({ selection, order, after, limit: limit + 1 }, reader);
    const shown = found.slice(0, limit);
    return {
      entries: await this.#shown(shown, reader),
      nextCursor: found.length > limit ? cursorOf(String(shown.at(-1)!.entry)) : null,
      upToDate,
    };
  }

  /** All of it, a page at a time, and no page before the last one was taken. */
  async *pages(question: AuditQuestion): AsyncGenerator<readonly ShownEntry[], void, undefined> {
    const selection = await this.#selectionOf(question);
    const { order, reader } = question;
    for (let after: string | undefined; ;) {
      const rows = await this.table.read({ selection, order, after, limit: EXPORT_PAGE_ROWS }, reader);
      if (rows.length > 0) yield await this.#shown(rows, reader);
      if (rows.length < EXPORT_PAGE_ROWS) return;
      after = String(rows.at(-1)!.entry);
    }
  }

  settle(): Promise<boolean> {
    return this.readModels.settle();
  }

  async #selectionOf({ by, selection, reader }: AuditQuestion): Promise<AuditSelection> {
    if (by === undefined) return selection;
    // Whichever key an operator shows.
    if (by === OPERATOR) return { ...selection, kind: OPERATOR };
    return { ...selection, by: await this.#namesOf(by, reader) };
  }

  /** As events call whoever is meant; none: nobody is. */
  async #namesOf(by: string, reader: Reader): Promise<readonly string[]> {
    if (KEY_PREFIX.test(by)) return this.table.keysWithPrefix(by, reader);
    if (!by.includes('@')) return [by, PERSONS + by];
    const holder = await this.people.holderOf(normaliseEmail(by));
    if (holder.is !== 'registered' || !this.#mayBeNamed(holder.person.id, reader)) return [];
    return [PERSONS + holder.person.id];
  }

  async #shown(rows: readonly AuditRow[], reader: Reader): Promise<readonly ShownEntry[]> {
    const people = new Set(rows.map(personOf).filter((id) => id !== undefined));
    const profiles = await this.people.profilesOf([...people].filter((id) => this.#mayBeNamed(id, reader)));
    return rows.map((row) => ({
      ...(reader === null ? row : withoutOperator(row)),
      entry: Number(row.entry),
      email: profiles.get(personOf(row) ?? '')?.email ?? null,
    }));
  }

  /** A merchant has to do with the persons that are its members, and with no others. */
  #mayBeNamed(person: string, reader: Reader): boolean {
    return reader === null || this.members.callerOf(person, reader.merchant) !== undefined;
  }
}

const personOf = ({ by, kind }: AuditRow): string | undefined =>
  kind === 'account' && by?.startsWith(PERSONS) === true ? by.slice(PERSONS.length) : undefined;

/** Nothing of whoever acts for the installation, nor of whom it is not known. */
function withoutOperator(row: AuditRow): AuditRow {
  if (row.kind !== OPERATOR && row.kind !== null) return row;
  return { ...row, by: row.kind, country: null, client: null };
}
