// What becomes of the rows of one table in a batch of events: the changes of each row merged into one, so that
// a batch takes few statements. Rows are told apart by the columns of their primary key.
import type { EntityManager, FindOptionsWhere, ObjectLiteral } from 'typeorm';

type Change<Row> =
  | { readonly kind: 'put'; readonly row: Row }
  | { readonly kind: 'patch'; readonly fields: Partial<Row> }
  | { readonly kind: 'delete' };

export class RowChanges<Row extends ObjectLiteral, Key extends keyof Row & string> {
  readonly #changes = new Map<string, { readonly key: Pick<Row, Key>; readonly change: Change<Row> }>();

  constructor(
    private readonly entity: new () => Row,
    private readonly columns: readonly Key[],
  ) {}

  /** The row is this from now on, whether or not there was one. */
  put(row: Row): void {
    this.#note(row, { kind: 'put', row });
  }

  /** If there is a row. */
  patch(key: Pick<Row, Key>, fields: Partial<Row>): void {
    const before = this.#changes.get(this.#nameOf(key))?.change;
    if (before?.kind === 'delete') return;
    if (before?.kind === 'put') this.put({ ...before.row, ...fields });
    else this.#note(key, { kind: 'patch', fields: { ...before?.fields, ...fields } });
  }

  delete(key: Pick<Row, Key>): void {
    this.#note(key, { kind: 'delete' });
  }

  async write(manager: EntityManager): Promise<void> {
    const rows: Row[] = [];
    for (const { key, change } of this.#changes.values()) {
      const where = key as FindOptionsWhere<Row>;
      if (change.kind === 'put') rows.push(change.row);
      else if (change.kind === 'delete') await manager.delete(this.entity, where);
      else await manager.update(this.entity, where, change.fields);
    }
    if (rows.length > 0) await manager.upsert(this.entity, rows, [...this.columns]);
  }

  #note(of: Pick<Row, Key>, change: Change<Row>): void {
    const key = Object.fromEntries(this.columns.map((column) => [column, of[column]])) as Pick<Row, Key>;
    this.#changes.set(this.#nameOf(key), { key, change });
  }

  #nameOf(key: Pick<Row, Key>): string {
    return JSON.stringify(this.columns.map((column) => key[column]));
  }
}
