// Which sites have been deleted, current by following the event store: what projects the log leaves their events
// out. At its start a process reads those that the control plane's tables know, and from the event store what came
// after: not all events that there ever were. An id is never given out again, so that a site that was deleted stays
// so; a new site of the same domain has another id.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { EventStore, type GlobalPosition, type RecordedEvent } from '../../../event-store/event-store.js';
import type { SiteEvent } from '../../../events/site.events.js';
import { inReadSnapshot } from '../../../postgres/read-snapshot.js';
import { Telemetry } from '../../../telemetry/telemetry.js';
import { within } from '../../../waiting/within.js';
import { contains, type Mark } from '../directories/mark.js';

/** Several millions of events about other things are read in less. */
const BOOT_TIMEOUT_MS = 300_000;
const EVERYBODYS = { timeoutMs: 30_000, tenant: null };
/** Of the control plane's tables: the first that knows what was deleted. */
const DEFINITION_MIN = 2;

const FIND_MARK = `
  SELECT position, stream, revision, recorded_at AS "recordedAt" FROM control.read_models
  WHERE name = 'control' AND definition >= ${DEFINITION_MIN} AND stream IS NOT NULL`;
const FIND_SITES = `SELECT subject AS site FROM control.deletions WHERE kind = 'site'`;

export class DeletedSitesNotKnownError extends Error {
  override readonly name = 'DeletedSitesNotKnownError';
}

@Injectable()
export class DeletedSites implements OnModuleInit {
  readonly #ids = new Set<string>();
  #events = 0;

  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly pool: Pool,
    private readonly telemetry: Telemetry,
  ) {}

  /** Nothing is projected before all are known. */
  async onModuleInit(): Promise<void> {
    const startedAt = Date.now();
    const after = await this.#fromTables();
    const subscription = await this.eventStore.subscribeAll(after, (event) => this.apply(event));
    const known = subscription.caughtUp().then(() => true);
    if ((await within(BOOT_TIMEOUT_MS, known)) !== true) {
      await subscription.close();
      throw new DeletedSitesNotKnownError(
        `The event store was not read to its end within ${BOOT_TIMEOUT_MS / 1000} seconds.`,
      );
    }
    this.telemetry.log.info(
      { sites: this.#ids.size, after, events: this.#events, tookMs: Date.now() - startedAt },
      'the deleted sites are known',
    );
  }

  has(site: string): boolean {
    return this.#ids.has(site);
  }

  /** Ids, in the order in which this process came to know of them. */
  list(): readonly string[] {
    return [...this.#ids];
  }

  apply(recorded: RecordedEvent): void {
    this.#events++;
    const event = recorded as unknown as RecordedEvent & SiteEvent;
    if (event.type === 'SiteDeleted') this.#ids.add(event.data.site);
  }

  /**
   * Rows and position are of one moment, so nothing is missed between them. Null: all events are to be read, since
   * nobody has kept the tables yet, or they were derived from an event store that was put back to an earlier day.
   */
  async #fromTables(): Promise<GlobalPosition | null> {
    const { mark, sites } = await inReadSnapshot(this.pool, EVERYBODYS, async (client) => {
      const { rows } = await client.query<Mark>(FIND_MARK);
      const known = rows[0] === undefined ? [] : (await client.query<{ site: string }>(FIND_SITES)).rows;
      return { mark: rows[0], sites: known };
    });
    if (mark === undefined || !(await contains(this.eventStore, mark))) return null;
    for (const { site } of sites) this.#ids.add(site);
    return mark.position;
  }
}
