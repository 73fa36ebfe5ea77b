// A process that serves: settings, checks, the modules of its roles, HTTP, and the handlers that end
// it all in good order. Whatever stops the boot is one readable line and exit code 1.
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, readConfig } from './config/config.js';
import { serveDocumentation } from './http/api-documentation.js';
import { httpAdapter, setUpHttp } from './http/http-server.js';
import { checkBeforeBoot, explainBootFailure } from './roles/boot-checks.js';
import { exitOnFailure, stopOnSignals } from './roles/process-lifecycle.js';
import { startProjecting } from './roles/projector.role.js';
import { rootModule } from './roles/root.module.js';
import { armFailpoint } from './telemetry/failpoint.js';
import { NestLogger } from './telemetry/nest-logger.js';
import { Telemetry } from './telemetry/telemetry.js';

async function boot(config: Config, telemetry: Telemetry): Promise<NestFastifyApplication> {
  await checkBeforeBoot(config);
  const app = await NestFactory.create<NestFastifyApplication>(
    rootModule(config, telemetry),
    httpAdapter(config),
    { logger: new NestLogger(telemetry), abortOnError: false, bodyParser: false },
  );
  try {
    setUpHttp(app, telemetry);
    if (config.ROLE.includes('api')) serveDocumentation(app, { version: packageVersion() });
    await app.listen(config.PORT, config.HOST);
    if (config.ROLE.includes('projector')) await startProjecting(app);
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = await app.getUrl();
  telemetry.log.info(
    { url, roles: config.ROLE, dataDirectory: config.DATA_DIR, version: packageVersion() },
    `Tidemark listens on ${url}`,
  );
  return app;
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function giveUp(explanation: string): never {
  process.stderr.write(`${explanation}\n`);
  process.exit(1);
}

export function startServer(): void {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    giveUp((error as Error).message);
  }
  if (config.FAILPOINT) armFailpoint(config.FAILPOINT.name, config.FAILPOINT.passes);
  const telemetry = new Telemetry(config.LOG_LEVEL);
  telemetry.collectProcessMetrics();
  exitOnFailure({ telemetry });
  const booting = boot(config, telemetry);
  stopOnSignals(booting, { config, telemetry });
  booting.catch((err: unknown) => {
    telemetry.log.debug({ err }, 'boot failed');
    giveUp(explainBootFailure(err, config));
  });
}
