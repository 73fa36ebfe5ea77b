// What people do to the system over HTTP, as commands. For the api role.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuditController } from './audit/audit.controller.js';
import { AuditTrail } from './audit/audit-trail.js';
import { AuthModule } from './auth.module.js';
import { ChangeSiteHandler } from './sites/change-site.command.js';
import { CreateSiteHandler } from './sites/create-site.command.js';
import { DeleteSiteHandler } from './sites/delete-site.command.js';
import { IssueKeyHandler } from './keys/issue-key.command.js';
import { IssueOperatorKeyHandler } from './keys/issue-operator-key.command.js';
import { RegisterMerchantHandler } from './merchants/register-merchant.command.js';
import { RevokeKeyHandler } from './keys/revoke-key.command.js';
import { ChangeKeyHandler } from './keys/change-key.command.js';
import { KeyDesk } from './keys/key.desk.js';
import { KeysController } from './keys/keys.controller.js';
import { OperatorKey } from './keys/operator-key.js';
import { AuthController } from './people/auth.controller.js';
import { AccountPageController } from './people/mail/account-page.controller.js';
import { MeController } from './people/me.controller.js';
import { ACCOUNT_PROVIDERS } from './people/people.providers.js';
import { JwksController } from './people/tokens/jwks.controller.js';
import { TotpController } from './people/totp.controller.js';
import { RotateKeyHandler } from './keys/rotate-key.command.js';
import { SiteKeysController } from './keys/site-keys.controller.js';
import { RepeatableRequestReaper } from './idempotency/repeatable-request.reaper.js';
import { SitesController } from './sites/sites.controller.js';

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [
    SitesController,
    SiteKeysController,
    KeysController,
    AuditController,
    AuthController,
    MeController,
    TotpController,
    JwksController,
    AccountPageController,
  ],
  providers: [
    OperatorKey,
    AuditTrail,
    RegisterMerchantHandler,
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
    RepeatableRequestReaper,
  ],
})
export class ControlPlaneModule {}
