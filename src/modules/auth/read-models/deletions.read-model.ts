// control.deletions: which sites, merchants and people were deleted, whose the sites were, and whether what was
// theirs is erased. Nothing is deleted twice: of a second event of the kind there is none, or it says nothing new.
import { Column, Entity, type EntityManager, In, PrimaryColumn } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent } from '../../../events/merchant.events.js';
import type { PersonEvent } from '../../../events/person.events.js';
import type { SiteEvent } from '../../../events/site.events.js';
import type { ReadModel } from './read-model.js';
import { RowChanges } from './row-changes.js';
import { SiteRow } from './sites.read-model.js';

export type DeletedKind = 'site' | 'merchant' | 'person';

@Entity({ schema: 'control', name: 'deletions' })
export class DeletionRow {
  @PrimaryColumn('text') kind!: DeletedKind;
  @PrimaryColumn('text') subject!: string;
  @Column('text', { nullable: true }) merchant!: string | null;
  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3 }) deletedAt!: Date;
  @Column({ type: 'timestamptz', name: 'erased_at', precision: 3, nullable: true }) erasedAt!: Date | null;
  /** As PostgreSQL's driver has a bigint. */
  @Column('bigint') rows!: string;
}

type Told = RecordedEvent & (SiteEvent | MerchantEvent | PersonEvent);
type Named = Pick<DeletionRow, 'kind' | 'subject'>;

const nameOf = ({ kind, subject }: Named): string => `${kind} ${subject}`;

export const deletionsReadModel: ReadModel = {
  entities: [DeletionRow],
  apply: async (recorded, manager) => {
    const events = recorded as unknown as readonly Told[];
    const deleted = events.map(deletedBy).filter((one) => one !== undefined);
    const known = await knownOf(deleted, manager);
    const owners = await ownersOf(deleted, { events, manager });
    const changes = new RowChanges(DeletionRow, ['kind', 'subject']);
    for (const event of events) {
      const of = deletedBy(event);
      if (of !== undefined && !known.has(nameOf(of))) {
        known.add(nameOf(of));
        const merchant = of.kind === 'merchant' ? of.subject : (owners.get(of.subject) ?? null);
        // Of people nothing waits for a grace.
        const erasedAt = of.kind === 'person' ? event.recordedAt : null;
        changes.put({ ...of, merchant, deletedAt: event.recordedAt, erasedAt, rows: '0' });
      }
      noteErased(event, changes);
    }
    await changes.write(manager);
  },
};

function deletedBy(event: Told): Named | undefined {
  switch (event.type) {
    case 'SiteDeleted':
      return { kind: 'site', subject: event.data.site };
    case 'MerchantDeleted':
      return { kind: 'merchant', subject: event.data.merchant };
    case 'PersonErased':
      return { kind: 'person', subject: event.data.person };
    default:
      return undefined;
  }
}

function noteErased(event: Told, changes: RowChanges<DeletionRow, 'kind' | 'subject'>): void {
  const erased = (of: Named, rows: number) =>
    changes.patch(of, { erasedAt: event.recordedAt, rows: String(rows) });
  if (event.type === 'DataErased') erased({ kind: 'site', subject: event.data.site }, event.data.rows);
  if (event.type === 'MerchantErased') {
    erased({ kind: 'merchant', subject: event.data.merchant }, event.data.rows);
  }
}

async function knownOf(deleted: readonly Named[], manager: EntityManager): Promise<Set<string>> {
  if (deleted.length === 0) return new Set();
  const subjects = In(deleted.map(({ subject }) => subject));
  return new Set((await manager.findBy(DeletionRow, { subject: subjects })).map(nameOf));
}

/** Whose sites they were: as their rows still say, or events of the same batch. */
async function ownersOf(
  deleted: readonly Named[],
  { events, manager }: { readonly events: readonly Told[]; readonly manager: EntityManager },
): Promise<ReadonlyMap<string, string>> {
  const sites = deleted.filter(({ kind }) => kind === 'site').map(({ subject }) => subject);
  if (sites.length === 0) return new Map();
  const rows = await manager.findBy(SiteRow, { site: In(sites) });
  const owners = new Map(rows.map(({ site, merchant }) => [site, merchant]));
  for (const { type, data } of events) if (type === 'SiteCreated') owners.set(data.site, data.merchant);
  return owners;
}
