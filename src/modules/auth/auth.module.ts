// Directories of sites, keys and members, and who may ask: for every role that is asked something
// over HTTP. A module whose controllers use CallerGuard imports this one.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { CONFIG, type Config } from '../../config/config.js';
import { EventStore } from '../../event-store/event-store.js';
import { Places } from '../../places/places.js';
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
import { SiteRates } from './limits/site-rates.js';
import { MemberDirectory } from './merchants/member.directory.js';
import { QuotaDirectory } from './quotas/quota.directory.js';
import { UsageTable } from './quotas/usage-table.js';
import { CALLER_PROVIDERS } from './people/people.providers.js';
import { SessionCookie } from './people/sign-ins/session-cookie.js';
import { SignIns } from './people/sign-ins/sign-ins.js';
import { SignedInCallers } from './people/signed-in-callers.js';
import { AccessTokens, publicUrlOf } from './people/tokens/access-tokens.js';
import { SigningKeys } from './people/tokens/signing-keys.js';
import { LinkSessions } from './shared-links/link-sessions.js';
import { SharedLinkDirectory } from './shared-links/shared-link.directory.js';
import { Whences } from './whences.js';

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
    QuotaDirectory,
    UsageTable,
    CallerStanding,
    AuthTelemetry,
    {
      provide: Places,
      inject: [CONFIG],
      useFactory: (config: Config) => new Places(config.PLACES_DATABASE),
    },
    Whences,
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
    {
      provide: SiteRates,
      inject: [CONFIG, RateLimits],
      useFactory: (config: Config, limits: RateLimits) =>
        new SiteRates(limits, {
          eventsPerSecondMax: config.SITE_EVENTS_PER_SECOND_MAX,
          burstSeconds: config.SITE_BURST_SECONDS,
        }),
    },
    ...CALLER_PROVIDERS,
    SharedLinkDirectory,
    {
      provide: LinkSessions,
      inject: [SigningKeys, CONFIG, SharedLinkDirectory],
      useFactory: (keys: SigningKeys, config: Config, links: SharedLinkDirectory) =>
        new LinkSessions({ keys, issuer: publicUrlOf(config), links }),
    },
  ],
  exports: [
    SiteDirectory,
    KeyDirectory,
    MemberDirectory,
    QuotaDirectory,
    UsageTable,
    SiteRates,
    KeyPepper,
    KeyUsage,
    DirectoryFollower,
    MemberDirectory,
    CallerStanding,
    AuthTelemetry,
    Places,
    Whences,
    Callers,
    RateLimits,
    RequestLimits,
    RepeatableRequests,
    AccessTokens,
    SessionCookie,
    SignedInCallers,
    SigningKeys,
    SignIns,
    LinkSessions,
    SharedLinkDirectory,
  ],
})
export class AuthModule {}
