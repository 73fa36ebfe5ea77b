// control.sites: what a site's stream folds to, and of it as columns what people search by.
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Site, siteFold, type SiteState, siteStream } from '../sites/site.aggregate.js';
import { type FoldedTable, foldRows } from './folded-rows.js';
import type { ReadModel } from './read-model.js';

@Entity({ schema: 'control', name: 'sites' })
export class SiteRow {
  @PrimaryColumn('text') site!: string;
  @Column('text') merchant!: string;
  @Column('text') domain!: string;
  @Column('text') name!: string;
  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 }) createdAt!: Date;
  @Column('jsonb') state!: object;
}

const STREAMS = siteStream('');

const table: FoldedTable<SiteRow, SiteState> = {
  entity: SiteRow,
  id: 'site',
  fold: siteFold,
  idOf: ({ stream }) => (stream.startsWith(STREAMS) ? stream.slice(STREAMS.length) : undefined),
  stateOf: siteOfRow,
  rowOf: (site) => {
    if (typeof site === 'string') return undefined;
    const { id, merchant, domain, name, createdAt } = site;
    return { site: id, merchant, domain, name, createdAt, state: site };
  },
};

/** JSON knows neither dates nor minus infinity, from when on a site's first spread holds. */
function siteOfRow({ createdAt, state }: SiteRow): Site {
  const site = state as Site;
  const spreads = site.spreads.map((one) => ({ ...one, from: one.from ?? Number.NEGATIVE_INFINITY }));
  return { ...site, createdAt, spreads };
}

export const sitesReadModel: ReadModel = {
  entities: [SiteRow],
  apply: (events, manager) => foldRows(manager, table, events),
};
