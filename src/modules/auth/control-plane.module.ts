// What people do to the system over HTTP, as commands. For the api role.
import { Module } from '@nestjs/common';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { CONFIG, type Config } from '../../config/config.js';
import { EventStore } from '../../event-store/event-store.js';
import { openEntitySource } from '../../postgres/entity-source.js';
import { Telemetry } from '../../telemetry/telemetry.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditExports } from './audit/audit-exports.js';
import { AuditNames } from './audit/audit-names.js';
import { AuditTable } from './audit/audit-table.js';
import { AuditTrail } from './audit/audit-trail.js';
import { MerchantAuditController } from './audit/merchant-audit.controller.js';
import { AuthModule } from './auth.module.js';
import { DeletionTelemetry } from './deletion/deletion.telemetry.js';
import { Deletions } from './deletion/deletions.js';
import { DeletionsController } from './deletion/deletions.controller.js';
import { Eraser } from './deletion/eraser.js';
import { Erasures } from './deletion/erasures.js';
import { MerchantDeletionDesk } from './deletion/merchant-deletion.desk.js';
import { MerchantDeletionsController } from './deletion/merchant-deletions.controller.js';
import { MerchantRemover } from './deletion/merchant-remover.js';
import { PersonRemover } from './deletion/person-remover.js';
import { RowEraser } from './deletion/row-eraser.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { KeyDirectory } from './directories/key.directory.js';
import { SiteDirectory } from './directories/site.directory.js';
import { ChangeSiteHandler } from './sites/change-site.command.js';
import { CreateSiteHandler } from './sites/create-site.command.js';
import { DeleteSiteHandler } from './sites/delete-site.command.js';
import { IssueKeyHandler } from './keys/issue-key.command.js';
import { IssueOperatorKeyHandler } from './keys/issue-operator-key.command.js';
import { ChangeMerchantHandler } from './merchants/change-merchant.command.js';
import { DeleteMerchantHandler } from './merchants/delete-merchant.command.js';
import { InvitationsController } from './merchants/invitations.controller.js';
import { InvitationsDesk } from './merchants/invitations.desk.js';
import { MembersController } from './merchants/members.controller.js';
import { MerchantController } from './merchants/merchant.controller.js';
import { MerchantDesk } from './merchants/merchant.desk.js';
import { MerchantLists } from './merchants/merchant.lists.js';
import { MerchantsController } from './merchants/merchants.controller.js';
import { RegisterMerchantHandler } from './merchants/register-merchant.command.js';
import { MerchantUsageController } from './quotas/merchant-usage.controller.js';
import { QuotaDesk } from './quotas/quota.desk.js';
import { QuotaDirectory } from './quotas/quota.directory.js';
import { UsageTable } from './quotas/usage-table.js';
import { QuotasController } from './quotas/quotas.controller.js';
import { UsageDesk } from './quotas/usage.desk.js';
import { ChangeQuotaHandler } from './quotas/change-quota.command.js';
import { Mailer } from './people/mail/mailer.js';
import { Sealer } from './people/sealing.js';
import { GuessLimits } from './people/sign-ins/guess-limits.js';
import { ControlReadModels, READ_MODEL_ENTITIES } from './read-models/control-read-models.js';
import { RevokeKeyHandler } from './keys/revoke-key.command.js';
import { ChangeKeyHandler } from './keys/change-key.command.js';
import { KeyDesk } from './keys/key.desk.js';
import { OwnedKeys } from './keys/owned-keys.js';
import { KEY_PLACES } from './keys/key-places.js';
import { keysController } from './keys/keys.controller.js';
import { KeyPepper } from './keys/key-pepper.js';
import { OperatorKey } from './keys/operator-key.js';
import { AuthController } from './people/auth.controller.js';
import { AccountPageController } from './people/mail/account-page.controller.js';
import { MeController } from './people/me.controller.js';
import { PersonalData } from './people/personal-data.js';
import { PeopleController } from './people/people.controller.js';
import { ACCOUNT_PROVIDERS } from './people/people.providers.js';
import { publicUrlOf } from './people/tokens/access-tokens.js';
import { RegistrationGate } from './people/registration-gate.js';
import { JwksController } from './people/tokens/jwks.controller.js';
import { TotpController } from './people/totp.controller.js';
import { RotateKeyHandler } from './keys/rotate-key.command.js';
import { ChangeSharedLinkHandler } from './shared-links/change-shared-link.command.js';
import { CreateSharedLinkHandler } from './shared-links/create-shared-link.command.js';
import { LinkSecrets } from './shared-links/link-secrets.js';
import { OpenedLinksController } from './shared-links/opened-links.controller.js';
import { SharedLinksController } from './shared-links/shared-links.controller.js';
import { SharedLinksDesk } from './shared-links/shared-links.desk.js';
import { RepeatableRequestReaper } from './idempotency/repeatable-request.reaper.js';
import { SitesController } from './sites/sites.controller.js';

type EraserInputs = [
  ...[Pool, Deletions, Erasures, RowEraser],
  ...[KeyDirectory, CommandBus, DeletionTelemetry],
];
type RemoverInputs = [
  ...[Pool, EventStore, CommandBus, Sealer],
  ...[Deletions, Erasures, RowEraser, DeletionTelemetry],
];

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [
    SitesController,
    ...KEY_PLACES.map(keysController),
    SharedLinksController,
    OpenedLinksController,
    MerchantController,
    MembersController,
    InvitationsController,
    MerchantsController,
    QuotasController,
    MerchantUsageController,
    AuditController,
    MerchantAuditController,
    DeletionsController,
    MerchantDeletionsController,
    AuthController,
    MeController,
    PeopleController,
    TotpController,
    JwksController,
    AccountPageController,
  ],
  providers: [
    OperatorKey,
    AuditTable,
    AuditNames,
    AuditTrail,
    AuditExports,
    DeletionTelemetry,
    Erasures,
    Deletions,
    {
      provide: RowEraser,
      inject: [Pool, EventStore, Erasures, DeletionTelemetry],
      useFactory: (
        pool: Pool,
        eventStore: EventStore,
        ...[erasures, telemetry]: [Erasures, DeletionTelemetry]
      ) => new RowEraser({ pool, eventStore, erasures, telemetry }),
    },
    {
      provide: Eraser,
      inject: [Pool, Deletions, Erasures, RowEraser, KeyDirectory, CommandBus, DeletionTelemetry],
      useFactory: (...[pool, deletions, erasures, rows, keys, commands, telemetry]: EraserInputs) =>
        new Eraser({ pool, deletions, erasures, rows, keys, commands, telemetry }),
    },
    {
      provide: MerchantRemover,
      inject: [Pool, EventStore, CommandBus, Sealer, Deletions, Erasures, RowEraser, DeletionTelemetry],
      useFactory: (
        ...[pool, eventStore, commands, sealer, deletions, erasures, rows, telemetry]: RemoverInputs
      ) => new MerchantRemover({ pool, eventStore, commands, sealer, deletions, erasures, rows, telemetry }),
    },
    {
      provide: PersonRemover,
      inject: [PersonalData, CommandBus, DeletionTelemetry],
      useFactory: (data: PersonalData, commands: CommandBus, telemetry: DeletionTelemetry) =>
        new PersonRemover({ data, commands, telemetry }),
    },
    MerchantDeletionDesk,
    DeleteMerchantHandler,
    {
      provide: DataSource,
      inject: [Pool],
      useFactory: (pool: Pool) => openEntitySource(pool, READ_MODEL_ENTITIES),
    },
    {
      provide: ControlReadModels,
      inject: [DataSource, EventStore, Telemetry, DirectoryFollower],
      useFactory: (
        source: DataSource,
        eventStore: EventStore,
        telemetry: Telemetry,
        follower: DirectoryFollower,
      ) => new ControlReadModels({ source, eventStore, telemetry, follower }),
    },
    MerchantDesk,
    MerchantLists,
    RegistrationGate,
    {
      provide: InvitationsDesk,
      inject: [MerchantDesk, Sealer, KeyPepper, Mailer, GuessLimits, Telemetry, CONFIG],
      useFactory: (
        desk: MerchantDesk,
        sealer: Sealer,
        pepper: KeyPepper,
        ...[mailer, limits, telemetry, config]: [Mailer, GuessLimits, Telemetry, Config]
      ) => {
        const [publicUrl, registration] = [publicUrlOf(config), config.REGISTRATION];
        const parts = { desk, sealer, pepper, mailer, limits, telemetry };
        return new InvitationsDesk({ ...parts, publicUrl, registration });
      },
    },
    {
      provide: QuotaDesk,
      inject: [EventStore, CommandBus, MerchantDesk, QuotaDirectory, UsageTable],
      useFactory: (
        eventStore: EventStore,
        commands: CommandBus,
        merchants: MerchantDesk,
        quotas: QuotaDirectory,
        usage: UsageTable,
      ) => new QuotaDesk({ eventStore, commands, merchants, quotas, usage }),
    },
    {
      provide: UsageDesk,
      inject: [MerchantDesk, UsageTable, SiteDirectory, QuotaDirectory],
      useFactory: (
        merchants: MerchantDesk,
        usage: UsageTable,
        ...[sites, quotas]: [SiteDirectory, QuotaDirectory]
      ) => new UsageDesk({ merchants, usage, sites, quotas }),
    },
    ChangeQuotaHandler,
    RegisterMerchantHandler,
    ChangeMerchantHandler,
    CreateSiteHandler,
    ChangeSiteHandler,
    DeleteSiteHandler,
    IssueKeyHandler,
    IssueOperatorKeyHandler,
    ChangeKeyHandler,
    RotateKeyHandler,
    RevokeKeyHandler,
    ...ACCOUNT_PROVIDERS,
    KeyDesk,
    OwnedKeys,
    LinkSecrets,
    SharedLinksDesk,
    CreateSharedLinkHandler,
    ChangeSharedLinkHandler,
    RepeatableRequestReaper,
  ],
})
export class ControlPlaneModule {}
