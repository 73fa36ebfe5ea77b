// Dead letters as they go over HTTP.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { IfGiven, IsLine } from '../../auth/input-rules.js';
import type { ListedLetter, ShownLetter } from './dead-letter-table.js';

const PAGE_ITEMS = 50;
const PAGE_ITEMS_MAX = 100;
const NAME_CHARACTERS_MAX = 253;

export class DeadLetterParameters {
  @ApiPropertyOptional({ description: 'How many at most.', default: PAGE_ITEMS, maximum: PAGE_ITEMS_MAX })
  @IfGiven()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(PAGE_ITEMS_MAX)
  limit: number = PAGE_ITEMS;

  @ApiPropertyOptional({ description: 'The next_cursor of the page before.' })
  @IfGiven()
  @IsString()
  cursor?: string;

  @ApiPropertyOptional({ description: 'Only of this projection.', example: 'sessions' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  projection?: string;

  @ApiPropertyOptional({
    description: "Only of this site: the site's id or domain.",
    example: 'shop.example',
  })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  site?: string;
}

export class ListedDeadLetter {
  @ApiProperty({ example: 'sessions-1-3-1742-17' }) id!: string;
  @ApiProperty({ example: 'sessions' }) projection!: string;
  @ApiProperty({ example: 1 }) version!: number;
  @ApiProperty({ description: 'Of the tracking log.', example: 3 }) partition!: number;
  @ApiProperty({ description: 'Of the batch in its partition.', example: '1742' }) position!: string;
  @ApiProperty({ description: 'How many it holds: one, or those of a batch that a newer version wrote.' })
  events!: number;
  @ApiProperty({ type: String, nullable: true, description: 'Null: a batch that cannot be read yet.' })
  site!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'order-1' }) eventId!: string | null;
  @ApiProperty({ description: 'Why it was passed over.' }) error!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000000Z' }) failedAt!: string;
}

export class ShownDeadLetter extends ListedDeadLetter {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The event as it was received; null for a batch that cannot be read yet.',
  })
  event!: Readonly<Record<string, unknown>> | null;
}

export class DeadLetterListAnswer {
  @ApiProperty({ type: [ListedDeadLetter], description: 'Newest first.' })
  deadLetters!: readonly ListedDeadLetter[];

  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export class DecisionAnswer {
  @ApiProperty({ example: 'sessions-1-3-1742-17' }) id!: string;

  @ApiProperty({ description: 'Whether a projector has carried it out already. Else one will, once it can.' })
  done!: boolean;
}

export function listedDeadLetter(letter: ListedLetter): ListedDeadLetter {
  const { id, projection, version, partition, position, events, site, eventId, error, failedAt } = letter;
  return { id, projection, version, partition, position, events, site, eventId, error, failedAt };
}

export const shownDeadLetter = (letter: ShownLetter): ShownDeadLetter =>
  Object.assign(listedDeadLetter(letter), { event: letter.event });
