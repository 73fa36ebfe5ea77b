// Dead letters over HTTP, for the operator: what was passed over and why, and what becomes of it.
import { Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf } from '../../auth/access.js';
import { ApiProblems } from '../../auth/api-answers.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { ControlPlaneController } from '../../auth/control-plane-controller.js';
import { Calling, NeedsScope } from '../../auth/caller.guard.js';
import { DeleteDeadLetter } from './commands/delete-dead-letter.command.js';
import { ReplayDeadLetter } from './commands/replay-dead-letter.command.js';
import { DeadLetterTable } from './dead-letter-table.js';
import {
  DeadLetterListAnswer,
  DeadLetterParameters,
  DecisionAnswer,
  listedDeadLetter,
  ShownDeadLetter,
  shownDeadLetter,
} from './dead-letters.dto.js';
import { letterCursor, placeOfCursor } from './letter-cursor.js';

const ApiLetterId = () =>
  ApiParam({ name: 'id', description: "The letter's id, as listed.", example: 'sessions-1-3-1742-17' });
const LETTER_UNKNOWN = 'There is no such dead letter; it may have been replayed or deleted.';
const LETTER_ID = /^[\w.-]{1,200}$/;

@ControlPlaneController('admin/v1/dead-letters', { tag: 'Operators' })
@NeedsScope('operator')
export class DeadLettersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly table: DeadLetterTable,
    private readonly sites: SiteDirectory,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listDeadLetters', summary: 'List what the projector had to pass over' })
  @ApiResponse({ status: 200, type: DeadLetterListAnswer })
  @ApiProblems({ 400: 'A parameter is not valid.' })
  async list(@Query() parameters: DeadLetterParameters): Promise<DeadLetterListAnswer> {
    const { limit, cursor, projection, site } = parameters;
    const siteId = site === undefined ? undefined : (this.sites.find(site)?.id ?? site);
    const before = cursor === undefined ? null : placeOfCursor(cursor);
    // One more than asked for tells whether there is a next page.
    const found = await this.table.list({ filter: { projection, site: siteId }, before, limit: limit + 1 });
    const shown = found.slice(0, limit);
    return {
      deadLetters: shown.map(listedDeadLetter),
      next_cursor: found.length > limit ? letterCursor(shown.at(-1)!) : null,
    };
  }

  @Get(':id')
  @ApiLetterId()
  @ApiOperation({ operationId: 'getDeadLetter', summary: 'Read a dead letter with its event' })
  @ApiResponse({ status: 200, type: ShownDeadLetter })
  @ApiProblems({ 404: LETTER_UNKNOWN })
  async get(@Param('id') id: string): Promise<ShownDeadLetter> {
    const letter = await this.table.find(knownForm(id));
    if (letter === undefined) throw Problem.notFound(LETTER_UNKNOWN);
    return shownDeadLetter(letter);
  }

  @Post(':id/replay')
  @HttpCode(202)
  @ApiLetterId()
  @ApiOperation({
    operationId: 'replayDeadLetter',
    summary: 'Append its events to the log again, and delete the letter',
    description: 'Harmless to repeat. What fails again becomes a new letter.',
  })
  @ApiResponse({ status: 202, type: DecisionAnswer, description: 'Requested, for good.' })
  @ApiProblems({ 404: LETTER_UNKNOWN, 409: 'Only a newer version can read its events.' })
  async replay(@Param('id') id: string, @Calling() caller: Caller): Promise<DecisionAnswer> {
    const replayed = await this.commands.execute(new ReplayDeadLetter(knownForm(id), originOf(caller)));
    switch (replayed.outcome) {
      case 'requested':
        return { id, done: replayed.isDone };
      case 'schema-unknown':
        throw Problem.conflict(
          `Its events have schema ${replayed.schema}, which this version cannot read: replay it when a newer one runs.`,
        );
      case 'letter-unknown':
        throw Problem.notFound(LETTER_UNKNOWN);
    }
  }

  @Delete(':id')
  @HttpCode(202)
  @ApiLetterId()
  @ApiOperation({
    operationId: 'deleteDeadLetter',
    summary: 'Delete a dead letter: its events stay uncounted, and in the log',
  })
  @ApiResponse({ status: 202, type: DecisionAnswer, description: 'Requested, for good.' })
  @ApiProblems({ 404: LETTER_UNKNOWN })
  async delete(@Param('id') id: string, @Calling() caller: Caller): Promise<DecisionAnswer> {
    const deleted = await this.commands.execute(new DeleteDeadLetter(knownForm(id), originOf(caller)));
    if (deleted.outcome === 'letter-unknown') throw Problem.notFound(LETTER_UNKNOWN);
    return { id, done: deleted.isDone };
  }
}

/** @throws Problem 404: no letter is called that, and PostgreSQL need not be asked. */
function knownForm(id: string): string {
  if (!LETTER_ID.test(id)) throw Problem.notFound(LETTER_UNKNOWN);
  return id;
}
