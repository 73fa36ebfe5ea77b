// Gives the modules that import it the process's one connection to Redis; without REDIS_URL, one that
// is never there. Closed after everybody has drained.
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/config.js';
import { RedisStore } from './redis-store.js';
import { RedisTelemetry } from './redis.telemetry.js';

@Module({
  providers: [
    RedisTelemetry,
    {
      provide: RedisStore,
      inject: [CONFIG, RedisTelemetry],
      useFactory: (config: Config, telemetry: RedisTelemetry) => new RedisStore(config, telemetry),
    },
  ],
  exports: [RedisStore],
})
export class RedisModule {}
