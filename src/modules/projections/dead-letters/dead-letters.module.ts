// For the api role: dead letters over HTTP. What is decided here a projector carries out.
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AuthModule } from '../../auth/auth.module.js';
import { DeleteDeadLetterHandler } from './commands/delete-dead-letter.command.js';
import { ReplayDeadLetterHandler } from './commands/replay-dead-letter.command.js';
import { DeadLetterTable } from './dead-letter-table.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { Decisions } from './decisions.js';

@Module({
  imports: [CqrsModule, AuthModule],
  controllers: [DeadLettersController],
  providers: [DeadLetterTable, Decisions, ReplayDeadLetterHandler, DeleteDeadLetterHandler],
})
export class DeadLettersModule {}
