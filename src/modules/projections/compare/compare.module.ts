// Everything behind GET /admin/v1/projections/{name}/compare. For the api role.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuthModule } from '../../auth/auth.module.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { ReadModelsModule } from '../read-models/read-models.module.js';
import { CompareVersionsHandler } from './compare-versions.query.js';
import { CompareController } from './compare.controller.js';
import { RecordComparisonHandler } from './record-comparison.command.js';

@Module({
  imports: [CqrsModule, AuthModule, ReadModelsModule],
  controllers: [CompareController],
  providers: [Lifecycle, CompareVersionsHandler, RecordComparisonHandler],
})
export class CompareModule {}
