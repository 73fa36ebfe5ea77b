// Projections and their versions as they go over HTTP.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { IfGiven } from '../../auth/input-rules.js';
import type { VersionState } from './read-models.aggregate.js';

const VERSION_MAX = 1_000_000;

export class PromoteBody {
  @ApiProperty({ description: 'The version that is to serve.', example: 2 })
  @IsInt()
  @Min(1)
  @Max(VERSION_MAX)
  version!: number;

  @ApiPropertyOptional({ description: 'Even where it has not caught up.', default: false })
  @IfGiven()
  @IsBoolean()
  force: boolean = false;
}

export class ServingAnswer {
  @ApiProperty({ example: 'sessions' }) name!: string;
  @ApiProperty({ example: 2 }) servingVersion!: number;
  @ApiProperty({ type: Number, nullable: true, example: 1 }) previousVersion!: number | null;
}

export class VersionPartitionAnswer {
  @ApiProperty({ example: 0 }) partition!: number;
  @ApiProperty({ type: String, nullable: true, example: '9210' }) position!: string | null;
  @ApiProperty({ type: String, nullable: true, example: '9210' }) endPosition!: string | null;
  @ApiProperty({
    example: 0,
    description: 'Zero at the end of the log; else what is known to be missing, at least 1.',
  })
  lagEvents!: number;
}

export class VersionAnswer {
  @ApiProperty({ example: 2 }) version!: number;
  @ApiProperty({ example: 2, description: 'By which it was built and is fed.' }) definition!: number;
  @ApiProperty({ enum: ['building', 'caught_up', 'serving', 'retired', 'failed'] }) state!: VersionState;
  @ApiProperty({
    type: [String],
    nullable: true,
    example: null,
    description: 'Whose rows it holds. Null: all.',
  })
  sites!: readonly string[] | null;
  @ApiProperty({ description: 'False: it stands still.', example: true }) fed!: boolean;
  @ApiProperty({ type: String, nullable: true, example: '2026-11-21T10:00:00.000Z' }) watermark!:
    string | null;
  @ApiProperty({ type: Number, nullable: true, example: 1_400 }) lagMs!: number | null;
  @ApiProperty({ type: [VersionPartitionAnswer] }) partitions!: readonly VersionPartitionAnswer[];
}

export class ProjectionAnswer {
  @ApiProperty({ example: 'sessions' }) name!: string;
  @ApiProperty({ example: 'One row per session.' }) meaning!: string;
  @ApiProperty({ example: 1 }) servingVersion!: number;
  @ApiProperty({ type: [VersionAnswer], description: 'Newest first; retired ones without partitions.' })
  versions!: readonly VersionAnswer[];
}

export class ProjectionListAnswer {
  @ApiProperty({ type: [ProjectionAnswer] }) projections!: readonly ProjectionAnswer[];
}
