// ROLE=api: answers queries from the read models, and takes the control plane's commands. Wiring only.
import { Module } from '@nestjs/common';
import { EventStoreModule } from '../event-store/event-store.module.js';
import { AuthModule } from '../modules/auth/auth.module.js';
import { ControlPlaneModule } from '../modules/auth/control-plane.module.js';
import { CompareModule } from '../modules/projections/compare/compare.module.js';
import { DeadLettersModule } from '../modules/projections/dead-letters/dead-letters.module.js';
import { AdminModule } from '../modules/projections/lifecycle/admin.module.js';
import { ReadModelsModule } from '../modules/projections/read-models/read-models.module.js';
import { QueryModule } from '../modules/query/query.module.js';
import { PostgresModule } from '../postgres/postgres.module.js';

@Module({
  imports: [
    PostgresModule,
    EventStoreModule,
    ReadModelsModule,
    AuthModule,
    ControlPlaneModule,
    AdminModule,
    CompareModule,
    DeadLettersModule,
    QueryModule,
  ],
})
export class ApiRole {}
