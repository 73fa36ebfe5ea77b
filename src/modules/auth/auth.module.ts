// Directories of sites and keys, and who may ask: for every role that is asked something
// over HTTP. A module whose controllers use CallerGuard imports this one.
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.js';
import { EventStore } from '../../event-store/event-store.js';
import { RedisModule } from '../../redis/redis.module.js';
import { RedisStore } from '../../redis/redis-store.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import { AuthTelemetry } from './auth.telemetry.js';
import { CallerStanding } from './caller-standing.js';
import { Callers } from './callers.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { DirectorySnapshots } from './directories/directory-snapshots.js';
import { KeyDirectory } from './directories/key.directory.js';
import { SiteDirectory } from './directories/site.directory.js';
import { KeyPepper } from './keys/key-pepper.js';
import { KeyUsage } from './keys/key-usage.js';
import { RepeatableRequests } from './idempotency/repeatable-requests.js';
import { RateLimits } from './limits/rate-limits.js';
import { RequestLimits } from './limits/request-limits.js';
import { MemberDirectory } from './merchants/member.directory.js';

type FollowerDependencies = [EventStore, DirectorySnapshots, Telemetry, SiteDirectory, KeyDirectory];

@Module({
  imports: [RedisModule],
  providers: [
    SiteDirectory,
    KeyDirectory,
    DirectorySnapshots,
    {
      provide: DirectoryFollower,
      inject: [EventStore, DirectorySnapshots, Telemetry, SiteDirectory, KeyDirectory],
      useFactory: (...[eventStore, snapshots, telemetry, sites, keys]: FollowerDependencies) =>
        new DirectoryFollower({ eventStore, snapshots, telemetry, sites, keys }),
    },
    MemberDirectory,
    CallerStanding,
    AuthTelemetry,
    Callers,
    KeyUsage,
    RepeatableRequests,
    {
      provide: KeyPepper,
      inject: [CONFIG, EventStore],
      useFactory: (config: Config, eventStore: EventStore) => KeyPepper.open(config, eventStore),
    },
    {
      provide: RequestLimits,
      inject: [CONFIG, RedisStore, KeyPepper, AuthTelemetry],
      useFactory: (config: Config, redis: RedisStore, pepper: KeyPepper, telemetry: AuthTelemetry) =>
        new RequestLimits({ config, limits: new RateLimits(redis), pepper, telemetry }),
    },
  ],
  exports: [
    SiteDirectory,
    KeyDirectory,
    KeyPepper,
    KeyUsage,
    DirectoryFollower,
    MemberDirectory,
    CallerStanding,
    AuthTelemetry,
    Callers,
    RepeatableRequests,
  ],
})
export class AuthModule {}
