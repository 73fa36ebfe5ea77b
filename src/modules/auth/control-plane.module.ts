// What people do to the system over HTTP, as commands. For the api role.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuditController } from './audit/audit.controller.js';
import { AuditTrail } from './audit/audit-trail.js';
import { AuthModule } from './auth.module.js';
import { ChangeSiteHandler } from './commands/change-site.command.js';
import { CreateSiteHandler } from './commands/create-site.command.js';
import { DeleteSiteHandler } from './commands/delete-site.command.js';
import { IssueKeyHandler } from './commands/issue-key.command.js';
import { IssueOperatorKeyHandler } from './commands/issue-operator-key.command.js';
import { RegisterMerchantHandler } from './commands/register-merchant.command.js';
import { RevokeKeyHandler } from './commands/revoke-key.command.js';
import { KeysController } from './keys.controller.js';
import { OperatorKey } from './operator-key.js';
import { SitesController } from './sites.controller.js';

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [SitesController, KeysController, AuditController],
  providers: [
    OperatorKey,
    AuditTrail,
    RegisterMerchantHandler,
    CreateSiteHandler,
    ChangeSiteHandler,
    DeleteSiteHandler,
    IssueKeyHandler,
    IssueOperatorKeyHandler,
    RevokeKeyHandler,
  ],
})
export class ControlPlaneModule {}
