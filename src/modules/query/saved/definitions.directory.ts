// What the people of all sites defined, in memory, so that a query names it without I/O. Told by the
// follower of the event store after the directory of sites, so that nothing is kept for a site that is gone.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { Directory } from '../../auth/directories/directory.js';
import { DirectoryFollower } from '../../auth/directories/directory-follower.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import type { Goal } from '../vocabulary/goal.js';
import { type FunnelDefinition, type Segment, SiteDefinitions } from '../vocabulary/site-definitions.js';
import type { Definitions } from './definition.js';
import {
  type DefinitionsState,
  evolveDefinitions,
  NO_DEFINITIONS,
  siteOfDefinitions,
} from './definitions.aggregate.js';
import { funnelOf } from './funnels.js';
import { goalOf } from './goals.js';
import { segmentOf } from './segments.js';

type DefinitionsLine = readonly [
  site: string,
  revision: DefinitionsState['revision'],
  kinds: Readonly<Record<keyof Definitions, readonly { readonly id: string; readonly createdAt: string }[]>>,
];

@Injectable()
export class DefinitionsDirectory extends SiteDefinitions implements Directory {
  readonly name = 'definitions';
  readonly format = 1;
  readonly #bySite = new Map<string, DefinitionsState>();
  /** Every query asks for its site's goals; the fold makes a new map with each change. */
  readonly #goals = new WeakMap<Definitions['Goal'], readonly Goal[]>();

  constructor(
    follower: DirectoryFollower,
    private readonly sites: SiteDirectory,
  ) {
    super();
    follower.follow(this);
  }

  override of(site: string): DefinitionsState {
    return this.#bySite.get(site) ?? NO_DEFINITIONS;
  }

  override goalsOf(site: string): readonly Goal[] {
    const { Goal } = this.of(site).definitions;
    const goals = this.#goals.get(Goal) ?? [...Goal.values()].map(goalOf);
    this.#goals.set(Goal, goals);
    return goals;
  }

  override segmentOf(site: string, id: string): Segment | undefined {
    const segment = this.of(site).definitions.Segment.get(id);
    return segment && segmentOf(segment);
  }

  override funnelOf(site: string, id: string): FunnelDefinition | undefined {
    const { definitions } = this.of(site);
    const funnel = definitions.Funnel.get(id);
    return funnel && funnelOf(funnel, definitions);
  }

  apply(event: RecordedEvent): void {
    if (event.type === 'SiteDeleted') this.#bySite.delete(String(event.data.site));
    const site = siteOfDefinitions(event);
    if (site === undefined || this.sites.find(site) === undefined) return;
    this.#bySite.set(site, evolveDefinitions(this.of(site), event));
  }

  *lines(): Iterable<string> {
    for (const [site, { definitions, revision }] of this.#bySite) {
      const kinds = Object.entries(definitions).map(([kind, ofKind]) => [kind, [...ofKind.values()]]);
      yield JSON.stringify([site, revision, Object.fromEntries(kinds)]);
    }
  }

  restore(line: string): void {
    const [site, revision, kinds] = JSON.parse(line) as DefinitionsLine;
    const byId = Object.entries(kinds).map(([kind, ofKind]) => [
      kind,
      new Map(ofKind.map((one) => [one.id, { ...one, createdAt: new Date(one.createdAt) }])),
    ]);
    const definitions = { ...NO_DEFINITIONS.definitions, ...(Object.fromEntries(byId) as Definitions) };
    this.#bySite.set(site, { definitions, revision });
  }

  clear(): void {
    this.#bySite.clear();
  }
}
