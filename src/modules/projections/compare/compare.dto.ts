// A comparison as it goes over HTTP.
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsISO8601, IsString, Matches, Max, Min } from 'class-validator';
import { IfGiven, IsLine } from '../../auth/input-rules.js';
import type { VersionsCompared } from './compare-versions.query.js';
import { TOLERANCE } from './tolerance.js';

const VERSION_MAX = 2_147_483_647;
const SITE_CHARACTERS_MAX = 300;
const DIFFERENCES = 100;
const DIFFERENCES_MAX = 1_000;
const DAY = /^(19[7-9]\d|2\d{3})-\d{2}-\d{2}$/;
const DAY_EXPECTED = { message: '$property must be a date such as 2026-11-01, from 1970 to 2999' };

const IsVersion = () =>
  applyDecorators(
    IfGiven(),
    Type(() => Number),
    IsInt(),
    Min(1),
    Max(VERSION_MAX),
  );
const IsDay = () =>
  applyDecorators(IfGiven(), Matches(DAY, DAY_EXPECTED), IsISO8601({ strict: true }, DAY_EXPECTED));

export class CompareParameters {
  @ApiPropertyOptional({ description: 'Default: the version that serves the sites of b.', example: 1 })
  @IsVersion()
  a?: number;

  @ApiPropertyOptional({ description: 'Default: the newest other one that is kept.', example: 2 })
  @IsVersion()
  b?: number;

  @ApiPropertyOptional({ description: "A site's id or domain. Default: all sites.", example: 'shop.example' })
  @IfGiven()
  @IsLine(SITE_CHARACTERS_MAX)
  site?: string;

  @ApiPropertyOptional({ description: 'First day.', example: '2026-11-01' })
  @IsDay()
  from?: string;

  @ApiPropertyOptional({ description: 'Last day; it is included.', example: '2026-11-20' })
  @IsDay()
  to?: string;

  @ApiPropertyOptional({
    description:
      'Differences up to it are left out: an amount, or a share of the value in a, such as `0.5%`. A change of rows is measured against the number of rows in a.',
    default: '0',
    example: '0.5%',
  })
  @IfGiven()
  @Matches(TOLERANCE, { message: 'tolerance must be a number such as 10, or a percentage such as 0.5%' })
  tolerance: string = '0';

  @ApiPropertyOptional({ description: 'How many at most.', default: DIFFERENCES, maximum: DIFFERENCES_MAX })
  @IfGiven()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(DIFFERENCES_MAX)
  limit: number = DIFFERENCES;

  @ApiPropertyOptional({ description: 'The next_cursor of the page before.' })
  @IfGiven()
  @IsString()
  cursor?: string;
}

class TotalAnswer {
  @ApiProperty({ example: 'visits' }) metric!: string;
  @ApiProperty({ example: 1004 }) a!: number;
  @ApiProperty({ example: 998 }) b!: number;
  @ApiProperty({ description: 'b − a', example: -6 }) difference!: number;
}

class DifferenceAnswer extends TotalAnswer {
  @ApiProperty({ description: "The site's id.", example: 's7Gk2mQx9RtP' }) site!: string;
  @ApiProperty({ format: 'date', example: '2026-11-20' }) date!: string;
}

export class CompareAnswer {
  @ApiProperty({ example: 1 }) a!: number;
  @ApiProperty({ example: 2 }) b!: number;
  @ApiProperty({
    type: [String],
    nullable: true,
    description: 'Ids of the sites that both versions hold, where one of them holds some only. Null: all.',
    example: null,
  })
  sites!: readonly string[] | null;
  @ApiProperty({ example: '0' }) tolerance!: string;
  @ApiProperty({ description: 'No site, day and metric differs by more than the tolerance.', example: false })
  within!: boolean;
  @ApiProperty({
    description:
      'One version has folded more of the log than the other: the newest days may differ by what lies between.',
    example: false,
  })
  positions_differ!: boolean;
  @ApiProperty({
    enum: ['site', 'utc'],
    description: 'Whose days: of the time zone of each site, or of UTC where the rows are of UTC hours.',
  })
  days!: 'site' | 'utc';
  @ApiProperty({
    type: [String],
    description: 'Columns that only one of the versions has, or has as another type.',
    example: [],
  })
  columns_not_compared!: readonly string[];
  @ApiProperty({ type: [TotalAnswer] }) totals!: readonly TotalAnswer[];
  @ApiProperty({ description: 'How many differences there are on all pages.', example: 1 })
  differences_total!: number;
  @ApiProperty({ type: [DifferenceAnswer], description: 'The largest first, whatever its sign.' })
  differences!: readonly DifferenceAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function compareAnswer({ versions, ...found }: VersionsCompared, tolerance: string): CompareAnswer {
  const { a, b, sites, comparison } = versions;
  return {
    a,
    b,
    sites,
    tolerance,
    within: found.differing === 0,
    positions_differ: found.positionsDiffer,
    days: comparison.days,
    columns_not_compared: comparison.columnsNotCompared,
    totals: found.totals,
    differences_total: found.differing,
    differences: found.differences,
    next_cursor: found.nextCursor,
  };
}
