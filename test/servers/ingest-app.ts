// Intake and control plane in this process, on a real socket, over a real log and a real Postgres:
// what the product is without its projector and its queries.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigModule } from '../../src/config/config.module.js';
import { readConfig } from '../../src/config/config.js';
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import { closeHttp, httpAdapter, setUpHttp } from '../../src/http/http-server.js';
import { ControlPlaneModule } from '../../src/modules/auth/control-plane.module.js';
import { IngestRole } from '../../src/roles/ingest.role.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';
import { TelemetryModule } from '../../src/telemetry/telemetry.module.js';
import { TrackingLog } from '../../src/tracking-log/tracking-log.js';
import { startPostgres } from './postgres.js';

export interface IngestApp {
  readonly url: string;
  readonly operatorKey: string;
  /** For a second one that shares it: DATABASE_URL. */
  readonly databaseUrl: string;
  readonly telemetry: Telemetry;
  /** Id and a key of a new site; of the operator's merchant, if none is named. */
  createSite(
    domain: string,
    scopes: readonly string[],
    merchant?: string,
  ): Promise<{ site: string; key: string }>;
  /** Every event in the log. */
  logged(): Promise<readonly TrackedEvent[]>;
  stop(): Promise<void>;
}

@Module({})
class AppModule {}

export async function startIngestApp(settings: Readonly<Record<string, string>> = {}): Promise<IngestApp> {
  const postgres = await startPostgres();
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-ingest-app-'));
  const operatorKey = randomBytes(24).toString('hex');
  const config = readConfig({
    DATA_DIR: directory,
    DATABASE_URL: postgres.url,
    OPERATOR_KEY: operatorKey,
    PORT: '0',
    LOG_LEVEL: 'silent',
    ...settings,
  });
  const telemetry = new Telemetry(config.LOG_LEVEL);
  const app = await NestFactory.create<NestFastifyApplication>(
    {
      module: AppModule,
      imports: [ConfigModule.with(config), TelemetryModule.with(telemetry), IngestRole, ControlPlaneModule],
    },
    httpAdapter(config),
    { logger: false, abortOnError: false, bodyParser: false },
  );
  setUpHttp(app, telemetry);
  await app.listen(config.PORT, config.HOST);
  const url = await app.getUrl();
  return {
    url,
    operatorKey,
    databaseUrl: config.DATABASE_URL!,
    telemetry,
    createSite: (domain, scopes, merchant) => createSite({ url, operatorKey }, { domain, scopes, merchant }),
    logged: () => eventsOf(app.get(TrackingLog)),
    async stop() {
      await closeHttp(app);
      await app.close();
      await rm(directory, { recursive: true });
      await postgres.stop();
    },
  };
}

async function createSite(
  { url, operatorKey }: Pick<IngestApp, 'url' | 'operatorKey'>,
  { domain, scopes, merchant }: { domain: string; scopes: readonly string[]; merchant?: string | undefined },
): Promise<{ site: string; key: string }> {
  const create = async (path: string, body: unknown): Promise<{ id: string; key: string }> => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { id: string; key: string };
  };
  const { id: site } = await create('/v1/sites', { domain, merchant });
  const { key } = await create(`/v1/sites/${site}/keys`, { name: domain, scopes });
  return { site, key };
}

/** Every event in it. */
export async function eventsOf(log: TrackingLog): Promise<readonly TrackedEvent[]> {
  const events: TrackedEvent[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    for await (const batch of log.read(partition, null, { follow: false })) events.push(...batch.events);
  }
  return events;
}
