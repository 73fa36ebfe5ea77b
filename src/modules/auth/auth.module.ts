// Directories of sites, keys and members, and who may ask: for every role that is asked something
// over HTTP. A module whose controllers use CallerGuard imports this one.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
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
import { CALLER_PROVIDERS } from './people/people.providers.js';
import { SessionCookie } from './people/sign-ins/session-cookie.js';
import { SignIns } from './people/sign-ins/sign-ins.js';
import { SignedInCallers } from './people/signed-in-callers.js';
import { AccessTokens } from './people/tokens/access-tokens.js';
import { SigningKeys } from './people/tokens/signing-keys.js';

type FollowerDependencies = [EventStore, DirectorySnapshots, Telemetry, SiteDirectory, KeyDirectory];

@Module({
  imports: [CqrsModule, RedisModule],
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
      provide: RateLimits,
      inject: [RedisStore],
      useFactory: (redis: RedisStore) => new RateLimits(redis),
    },
    {
      provide: RequestLimits,
      inject: [CONFIG, RateLimits, KeyPepper, AuthTelemetry],
      useFactory: (config: Config, limits: RateLimits, pepper: KeyPepper, telemetry: AuthTelemetry) =>
        new RequestLimits({ config, limits, pepper, telemetry }),
    },
    ...CALLER_PROVIDERS,
  ],
  exports: [
    SiteDirectory,
    KeyDirectory,
    MemberDirectory,
    KeyPepper,
    KeyUsage,
    DirectoryFollower,
    MemberDirectory,
    CallerStanding,
    AuthTelemetry,
    Callers,
    RateLimits,
    RequestLimits,
    RepeatableRequests,
    AccessTokens,
    SessionCookie,
    SignedInCallers,
    SigningKeys,
    SignIns,
  ],
})
export class AuthModule {}
