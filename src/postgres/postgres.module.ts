// Gives every module the pool. Shutdown: whoever uses PostgreSQL must be done by the end of
// `beforeApplicationShutdown`, or serve HTTP requests, which Nest closes next; the pool and the
// embedded server go in `onApplicationShutdown`, after all of that.
import { Global, Module } from '@nestjs/common';
import { Pool } from 'pg';
import { CONFIG, type Config } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { PostgresConnection } from './postgres-connection.js';

@Global()
@Module({
  providers: [
    {
      provide: PostgresConnection,
      useFactory: (config: Config, telemetry: Telemetry) => PostgresConnection.open(config, telemetry),
      inject: [CONFIG, Telemetry],
    },
    {
      provide: Pool,
      useFactory: (connection: PostgresConnection) => connection.pool,
      inject: [PostgresConnection],
    },
  ],
  exports: [Pool],
})
export class PostgresModule {}
