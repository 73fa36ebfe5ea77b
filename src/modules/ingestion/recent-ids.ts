// Which client-given event ids were durably appended a short while ago, so that a client's retry is
// answered as a duplicate without being appended again. Bounded memory, this process only: what it
// does not remember is appended again and counted once, because readers drop repeats by event id.

const GENERATION_IDS_MAX = 50_000;

/** Ids are the visitor's own: nobody can have another's event dropped by sending its id first. */
export interface SeenEvent {
  readonly site: string;
  readonly visitor: string;
  readonly previousVisitor?: string;
  readonly id: string;
}

export class RecentIds {
  private young = new Set<string>();
  private old: ReadonlySet<string> = new Set();

  has(event: SeenEvent): boolean {
    if (this.hasKey(keyOf(event))) return true;
    return event.previousVisitor !== undefined && this.hasKey(keyOf(event, event.previousVisitor));
  }

  /** @param key of `keyOf` */
  add(key: string): void {
    this.young.add(key);
    if (this.young.size < GENERATION_IDS_MAX) return;
    this.old = this.young;
    this.young = new Set();
  }

  private hasKey(key: string): boolean {
    return this.young.has(key) || this.old.has(key);
  }
}

/** What makes two events repetitions of each other. */
export const keyOf = ({ site, id, visitor: own }: SeenEvent, visitor = own): string =>
  `${visitor} ${site} ${id}`;
