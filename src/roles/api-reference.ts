// docs/reference/openapi.json: what a process with every role answers at /docs-json. Made in Nest's
// preview mode, which reads the decorators and starts nothing.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../config/config.js';
import { openApiOf } from '../http/api-documentation.js';
import { httpAdapter } from '../http/http-server.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { rootModule } from './root.module.js';

export async function apiReference(version: string): Promise<string> {
  const config = readConfig({});
  const app = await NestFactory.create<NestFastifyApplication>(
    rootModule(config, new Telemetry('silent')),
    httpAdapter(config),
    { preview: true, logger: false, abortOnError: false, bodyParser: false },
  );
  try {
    return `${JSON.stringify(openApiOf(app, { version }), null, 2)}\n`;
  } finally {
    await app.close();
  }
}
