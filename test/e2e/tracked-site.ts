// A site with the tracker on its pages: Tidemark runs, the pages are served from another origin, and what reached the
// tracking log is read from the log itself.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { EmbeddedTrackingLog } from '../../src/tracking-log/embedded.tracking-log.js';
import { TrackingLogTelemetry } from '../../src/tracking-log/tracking-log.telemetry.js';
import { eventsOf } from '../servers/ingest-app.js';
import type { OperatedProduct } from './operated-product.js';

const LOG_BYTES_MAX = 1_073_741_824;
const PARTITIONS = 4;
const ARRIVAL_TIMEOUT_MS = 15_000;
const POLL_INTERVAL_MS = 25;

export interface Page {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the site's. */
  readonly head?: string;
  readonly script?: string;
}

export interface SiteOptions {
  /** Of the script tag, beside its key and site. */
  readonly attributes?: string;
  /** Before it. */
  readonly head?: string;
  readonly settings?: object;
}

export interface Installation {
  readonly product: OperatedProduct;
  readonly log: EmbeddedTrackingLog;
}

/** Of a running product, which goes on writing it. */
export function openLog({ directory }: OperatedProduct): EmbeddedTrackingLog {
  return new EmbeddedTrackingLog({
    directory: join(directory, 'tracking-log'),
    partitions: PARTITIONS,
    bytesMax: LOG_BYTES_MAX,
    telemetry: new TrackingLogTelemetry(new Registry()),
    onDiskFailure: (error) => {
      throw error;
    },
  });
}

export class TrackedSite {
  /** Of the pages. */
  readonly origin: string;

  private constructor(
    private readonly server: Server,
    private readonly log: EmbeddedTrackingLog,
    readonly id: string,
    readonly domain: string,
    readonly key: string,
    private readonly pages: Map<string, Page>,
  ) {
    this.origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  static async start(
    { product, log }: Installation,
    domain: string,
    { attributes = '', head = '', settings }: SiteOptions = {},
  ): Promise<TrackedSite> {
    const { id } = await product.said<{ id: string }>('POST', '/v1/sites', { domain, ...settings });
    const { key } = await product.said<{ key: string }>('POST', `/v1/sites/${id}/keys`, {
      ...{ name: 'page', scopes: ['ingest'] },
    });
    const tag = `${head}<script defer src="${product.url}/t.js" data-site="${domain}" data-key="${key}" ${attributes}></script>`;
    const pages = new Map<string, Page>();
    const server = createServer((request, response) => {
      const page = pages.get(request.url!.split('?')[0]!) ?? {};
      if (page.script !== undefined) {
        response.writeHead(200, { 'content-type': 'text/javascript' }).end(page.script);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers });
      // With an icon of its own no browser asks for one.
      response.end(
        `<!doctype html><html><head><link rel="icon" href="data:,">${page.head ?? tag}</head><body>${page.body ?? 'a page'}</body></html>`,
      );
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    return new TrackedSite(server, log, id, domain, key, pages);
  }

  serve(path: string, page: Page): void {
    this.pages.set(path, page);
  }

  /** In the order in which they happened, once there are `count` of them. @throws Error if more come, or too few. */
  async events(count: number): Promise<readonly TrackedEvent[]> {
    const deadline = Date.now() + ARRIVAL_TIMEOUT_MS;
    for (;;) {
      const events = await this.logged();
      if (events.length === count) return events;
      if (events.length > count || Date.now() > deadline) {
        throw new Error(`${events.length} events in place of ${count}: ${JSON.stringify(events)}`);
      }
      await sleep(POLL_INTERVAL_MS);
    }
  }

  /** Names and paths. */
  async told(count: number): Promise<readonly string[]> {
    return (await this.events(count)).map(({ name, url }) => `${name} ${new URL(url!).pathname}`);
  }

  /** By now; a repetition that readers drop is in it. */
  async logged(): Promise<readonly TrackedEvent[]> {
    const events = (await eventsOf(this.log)).filter(({ site }) => site === this.id);
    return events.toSorted((a, b) => a.occurredAt - b.occurredAt || a.receivedAt - b.receivedAt);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
