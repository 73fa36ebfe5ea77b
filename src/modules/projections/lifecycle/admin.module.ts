// What operators do to the read models over HTTP, as commands. For the api role.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuthModule } from '../../auth/auth.module.js';
import { ReadModelsModule } from '../read-models/read-models.module.js';
import { ChangeVersionsHandler } from './commands/change-versions.command.js';
import { ControlRebuildHandler } from './commands/control-rebuild.command.js';
import { RequestRebuildHandler } from './commands/request-rebuild.command.js';
import { Lifecycle } from './lifecycle.js';
import { ProgressReport } from './progress-report.js';
import { ProjectionsController } from './projections.controller.js';
import { RebuildsController } from './rebuilds.controller.js';

@Module({
  imports: [CqrsModule, AuthModule, ReadModelsModule],
  controllers: [ProjectionsController, RebuildsController],
  providers: [Lifecycle, ProgressReport, RequestRebuildHandler, ControlRebuildHandler, ChangeVersionsHandler],
})
export class AdminModule {}
