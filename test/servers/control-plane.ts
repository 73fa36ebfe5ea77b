// The control plane as the api role runs it, on a database of the caller's: real modules, real
// PostgreSQL, requests injected into Fastify.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Pool } from 'pg';
import { ConfigModule } from '../../src/config/config.module.js';
import { readConfig } from '../../src/config/config.js';
import { EventStoreModule } from '../../src/event-store/event-store.module.js';
import { httpAdapter, setUpHttp } from '../../src/http/http-server.js';
import { AuthModule } from '../../src/modules/auth/auth.module.js';
import { ControlPlaneModule } from '../../src/modules/auth/control-plane.module.js';
import { TelemetryModule } from '../../src/telemetry/telemetry.module.js';
import { Telemetry } from '../../src/telemetry/telemetry.js';

export const OPERATOR_KEY = 'an operator key of at least 32 characters'.replaceAll(' ', '-');

export interface ControlPlane {
  readonly app: NestFastifyApplication;
  readonly dataDirectory: string;
  call(method: Method, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface CallOptions {
  /** Default: the operator's; null: none. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what the tests look into
  readonly body: any;
}

export interface ControlPlaneOptions {
  /** Default: one of its own, removed at the end. */
  readonly dataDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What else of the api role to run. */
  readonly modules?: readonly Type[];
}

@Module({})
class GivenPool {
  static of(pool: Pool): DynamicModule {
    return {
      module: GivenPool,
      global: true,
      providers: [{ provide: Pool, useValue: pool }],
      exports: [Pool],
    };
  }
}

export async function startControlPlane(
  pool: Pool,
  { dataDirectory, environment = { OPERATOR_KEY }, modules = [] }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const directory = dataDirectory ?? (await mkdtemp(join(tmpdir(), 'tidemark-control-plane-')));
  const config = readConfig({ DATA_DIR: directory, LOG_LEVEL: 'silent', ...environment });
  const telemetry = new Telemetry(config.LOG_LEVEL);
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.with(config),
      TelemetryModule.with(telemetry),
      GivenPool.of(pool),
      EventStoreModule,
      AuthModule,
      ControlPlaneModule,
      ...modules,
    ],
  }).compile();
  const app = module.createNestApplication<NestFastifyApplication>(httpAdapter(config), {
    abortOnError: false,
    bodyParser: false,
    logger: false,
  });
  setUpHttp(app, telemetry);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return {
    app,
    dataDirectory: directory,
    call: (method, path, options) => call(app, { method, path, ...options }),
    close: async () => {
      await app.close();
      if (dataDirectory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

async function call(
  app: NestFastifyApplication,
  { method, path, key = OPERATOR_KEY, body, headers }: CallOptions & { method: Method; path: string },
): Promise<Answer> {
  const response = await app.inject({
    method,
    url: path,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.payload === '' ? undefined : JSON.parse(response.payload),
  };
}
