// What a site's people define, over HTTP and for queries.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuthModule } from '../../auth/auth.module.js';
import { SiteDefinitions } from '../vocabulary/site-definitions.js';
import { annotations } from './annotations.js';
import { ChangeDefinitionsHandler } from './commands/change-definitions.command.js';
import { definitionsController } from './definitions.controller.js';
import { DefinitionsDesk } from './definitions.desk.js';
import { DefinitionsDirectory } from './definitions.directory.js';
import { funnels } from './funnels.js';
import { goals } from './goals.js';
import { segments } from './segments.js';

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [goals, segments, funnels, annotations].map(definitionsController),
  providers: [
    DefinitionsDirectory,
    { provide: SiteDefinitions, useExisting: DefinitionsDirectory },
    DefinitionsDesk,
    ChangeDefinitionsHandler,
  ],
  exports: [SiteDefinitions],
})
export class SavedModule {}
