// Rebuilds as they go over HTTP: what is asked for, what is answered, how both are documented.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { IfGiven } from '../../auth/input-rules.js';
import type { RebuildSource } from '../../../events/read-models.events.js';
import type { RebuildPhase } from '../rebuild/rebuild-progress.js';
import type { RebuildState } from './read-models.aggregate.js';

const SITES_MAX = 1_000;
const VERSION_MAX = 1_000_000;
const DAY = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const SOURCES = ['log', 'archive+log'] as const satisfies readonly RebuildSource[];

export class RebuildBody {
  @ApiPropertyOptional({ description: 'Number of the new version. Default: the next free one.', example: 2 })
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(VERSION_MAX)
  version?: number;

  @ApiPropertyOptional({
    description: 'Ids or domains. Default: all sites.',
    type: [String],
    maxItems: SITES_MAX,
    example: ['shop.example'],
  })
  @IfGiven()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(SITES_MAX)
  @ArrayUnique()
  @IsString({ each: true })
  sites?: string[];

  @ApiPropertyOptional({
    description: "First day, in each site's zone. Default: the first there is.",
    example: '2026-11-01',
  })
  @IfGiven()
  @Matches(DAY, { message: 'from must be a day such as 2026-11-01' })
  from?: string;

  @ApiPropertyOptional({
    description: "Last day, in each site's zone. Default: no end.",
    example: '2026-11-07',
  })
  @IfGiven()
  @Matches(DAY, { message: 'to must be a day such as 2026-11-07' })
  to?: string;

  @ApiPropertyOptional({ enum: SOURCES, default: 'log', description: 'Where the events are read from.' })
  @IfGiven()
  @IsIn(SOURCES)
  source: RebuildSource = 'log';
}

export class RebuildScopeAnswer {
  @ApiProperty({ type: [String], nullable: true, example: null, description: 'Null: all.' })
  sites!: readonly string[] | null;
  @ApiProperty({ type: String, nullable: true, example: null }) from!: string | null;
  @ApiProperty({ type: String, nullable: true, example: null }) to!: string | null;
}

export class RebuildPartitionAnswer {
  @ApiProperty({ example: 0 }) partition!: number;
  @ApiProperty({
    enum: ['waiting', 'sorting', 'writing', 'following'],
    description: 'Sorting what the log holds; writing rows; following the log as the serving version does.',
  })
  phase!: RebuildPhase | 'waiting';
  @ApiProperty({ type: String, nullable: true, example: '4811' }) position!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '9210' }) endPosition!: string | null;
  @ApiProperty({ example: 481_100 }) events!: number;
  @ApiProperty({ example: 921_000 }) eventsExpected!: number;
  @ApiPropertyOptional({ description: 'Why it does not get on at the moment; it is tried again.' })
  error?: string;
}

export class RebuildAnswer {
  @ApiProperty({ example: 'r7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ example: 'sessions' }) projection!: string;
  @ApiProperty({ example: 2 }) version!: number;
  @ApiProperty({ example: 2 }) definition!: number;
  @ApiProperty({ type: RebuildScopeAnswer }) scope!: RebuildScopeAnswer;
  @ApiProperty({ enum: SOURCES }) source!: RebuildSource;
  @ApiProperty({
    enum: ['requested', 'running', 'paused', 'caught_up', 'promoted', 'cancelled', 'failed'],
  })
  state!: RebuildState;
  @ApiPropertyOptional({ description: 'Why it failed.' }) error?: string;
  @ApiProperty({ example: '2026-11-21T10:00:00.000Z' }) requestedAt!: string;
  @ApiProperty({ description: 'Id of the key.', example: 'operator' }) requestedBy!: string;
  @ApiProperty({ description: 'Done so far.', example: 481_100 }) events!: number;
  @ApiProperty({ description: 'There will be, about.', example: 921_000 }) eventsExpected!: number;
  @ApiProperty({ type: Number, nullable: true, example: 118_000 }) eventsPerSecond!: number | null;
  @ApiProperty({ type: Number, nullable: true, example: 4 }) secondsLeft!: number | null;
  @ApiProperty({ type: [RebuildPartitionAnswer] }) partitions!: readonly RebuildPartitionAnswer[];
}

export class RebuildListAnswer {
  @ApiProperty({ type: [RebuildAnswer], description: 'Newest first.' }) rebuilds!: readonly RebuildAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}
