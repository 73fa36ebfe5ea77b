// control.audit: a row for each event of the event store, in its order, with whose concern it is. Rows are never
// changed, but for the merchant of a site that was spoken of before it was made, as by the claim of its domain.
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { auditEntry } from '../audit/audit-entry.js';
import { isNamedOnce, type KnownSubjects, siteNamed, subjectOf } from '../audit/audit-subjects.js';
import type { CallerKind } from '../origin.js';
import type { ReadModel } from './read-model.js';

@Entity({ schema: 'control', name: 'audit' })
export class AuditRow {
  @PrimaryColumn('bigint') entry!: number;
  @Column({ type: 'timestamptz', precision: 3 }) at!: Date;
  @Column('text', { nullable: true }) by!: string | null;
  @Column('text', { nullable: true }) kind!: CallerKind | null;
  @Column('text', { nullable: true }) request!: string | null;
  @Column('text', { nullable: true }) country!: string | null;
  @Column('text', { nullable: true }) client!: string | null;
  @Column('text') stream!: string;
  @Column('integer') revision!: number;
  @Column('text') type!: string;
  @Column('text', { nullable: true }) merchant!: string | null;
  @Column('text', { nullable: true }) site!: string | null;
  @Column('jsonb') data!: object;
}

const LAST = `SELECT coalesce(max(entry), 0)::text AS last FROM control.audit`;
const OF_STREAMS = `
  SELECT DISTINCT ON (stream) stream, merchant, site FROM control.audit
  WHERE stream = ANY($1) ORDER BY stream, entry DESC`;
const OF_SITES = `
  SELECT site, merchant FROM control.audit WHERE site = ANY($1) AND type = 'SiteCreated' AND merchant IS NOT NULL
  ORDER BY entry`;
/** Of what was said of sites before they were made. */
const COMPLETE = `
  UPDATE control.audit SET merchant = made.merchant
  FROM unnest($1::text[], $2::text[]) AS made (site, merchant)
  WHERE audit.site = made.site AND audit.merchant IS NULL`;

export const auditReadModel: ReadModel = {
  entities: [AuditRow],
  apply: async (events, manager) => {
    const known = await knownSubjects(events, manager);
    const [{ last }] = await manager.query<[{ readonly last: string }]>(LAST);
    const rows = events.map((event, index) => {
      const { data, ...entry } = auditEntry(event);
      return { ...entry, ...subjectOf(event, known), entry: Number(last) + index + 1, data: storable(data) };
    });
    await manager.insert(AuditRow, rows);
    const made = rows.filter(({ type, site }) => type === 'SiteCreated' && site !== null);
    if (made.length === 0) return;
    const merchants = made.map(({ site }) => known.ofSites.get(site!) ?? null);
    await manager.query(COMPLETE, [made.map(({ site }) => site), merchants]);
  },
};

/** What the rows tell of what the events speak of. */
async function knownSubjects(
  events: readonly RecordedEvent[],
  manager: EntityManager,
): Promise<KnownSubjects> {
  const streams = [...new Set(events.map(({ stream }) => stream).filter(isNamedOnce))];
  const sites = [...new Set(events.map(siteNamed).filter((site) => site !== null))];
  type Named = Readonly<Record<'stream' | 'merchant' | 'site', string>>;
  const ofStreams = streams.length === 0 ? [] : await manager.query<Named[]>(OF_STREAMS, [streams]);
  const ofSites = sites.length === 0 ? [] : await manager.query<Named[]>(OF_SITES, [sites]);
  return {
    ofStreams: new Map(ofStreams.map(({ stream, merchant, site }) => [stream, { merchant, site }])),
    ofSites: new Map(ofSites.map(({ site, merchant }) => [site, merchant])),
  };
}

/** One text that jsonb does not take, from an event store that takes any, would hold up all that comes after. */
const storable = (data: object): object =>
  JSON.parse(
    JSON.stringify(data, (_, value: unknown) =>
      typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value,
    ),
  ) as object;
