// One process's module: what every role needs, the roles that ROLE names, health and metrics.
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ConfigModule } from '../config/config.module.js';
import type { Config, Role } from '../config/config.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { TelemetryModule } from '../telemetry/telemetry.module.js';
import { ApiRole } from './api.role.js';
import { Readiness } from './health-check.js';
import { healthChecks } from './health-checks.js';
import { HealthController } from './health.controller.js';
import { IngestRole } from './ingest.role.js';
import { ProjectorRole } from './projector.role.js';

const ROLE_MODULES: Readonly<Record<Role, Type>> = {
  ingest: IngestRole,
  projector: ProjectorRole,
  api: ApiRole,
};

@Module({})
class RootModule {}

export function rootModule(config: Config, telemetry: Telemetry): DynamicModule {
  return {
    module: RootModule,
    imports: [
      ConfigModule.with(config),
      TelemetryModule.with(telemetry),
      ...config.ROLE.map((role) => ROLE_MODULES[role]),
    ],
    controllers: [HealthController],
    providers: [
      {
        provide: Readiness,
        inject: [ModuleRef],
        useFactory: (modules: ModuleRef) => new Readiness(healthChecks(config, modules)),
      },
    ],
  };
}
