// Sites as they go over HTTP: what is accepted, what is answered, how both are documented.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { ArrayMaxSize, ArrayUnique, IsArray, IsInt, IsString, Max, Min } from 'class-validator';
import { PARTITIONS_MAX } from '../../../config/config.js';
import { normaliseDomain } from './domain.js';
import { IfGiven, IsCurrency, IsLine, IsSiteDomain, IsTimezone } from '../input-rules.js';
import type { Site } from './site.aggregate.js';

const NAME_CHARACTERS_MAX = 120;
const TRACKING_IDS_MAX = 20;
const TRACKING_ID_CHARACTERS_MAX = 200;
const PAGE_ITEMS = 100;
const PAGE_ITEMS_MAX = 1_000;
export const TIMEZONE_DEFAULT = 'UTC';
export const CURRENCY_DEFAULT = 'EUR';

const Uppercase = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value));

const Normalised = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (normaliseDomain(value) ?? value) : value,
  );

export class ChangeSiteBody {
  @ApiPropertyOptional({ description: 'Shown to people. Default: the domain.', example: 'Example shop' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({
    description: 'IANA name; days and hours of reports are of this zone.',
    default: TIMEZONE_DEFAULT,
    example: 'Europe/Vienna',
  })
  @IfGiven()
  @IsTimezone()
  timezone?: string;

  @ApiPropertyOptional({
    description: 'ISO 4217, of revenue reports.',
    default: CURRENCY_DEFAULT,
    example: 'EUR',
  })
  @IfGiven()
  @Uppercase()
  @IsCurrency()
  currency?: string;

  @ApiPropertyOptional({
    description: "Names by which other vendors' clients may call the site; each belongs to one site.",
    type: [String],
    maxItems: TRACKING_IDS_MAX,
    example: ['G-ABC123', '123456'],
  })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(TRACKING_IDS_MAX)
  @ArrayUnique()
  @IsLine(TRACKING_ID_CHARACTERS_MAX, 'each')
  trackingIds?: string[];

  @ApiPropertyOptional({
    description:
      'Partitions of the tracking log over which visitors of a very busy site are spread, in force a minute later; more than there are is all of them. Only the operator may set it.',
    default: 1,
    minimum: 1,
    maximum: PARTITIONS_MAX,
    example: 1,
  })
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(PARTITIONS_MAX)
  spread?: number;
}

export class CreateSiteBody extends ChangeSiteBody {
  @ApiProperty({
    description: 'Host name, of this site only. Case, a leading www. and a scheme do not matter.',
    example: 'shop.example',
  })
  @Normalised()
  @IsSiteDomain()
  domain!: string;
}

export class ListParameters {
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
}

export class SiteAnswer {
  @ApiProperty({ example: 's7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ example: 'shop.example' }) domain!: string;
  @ApiProperty({ example: 'Example shop' }) name!: string;
  @ApiProperty({ example: 'Europe/Vienna' }) timezone!: string;
  @ApiProperty({ example: 'EUR' }) currency!: string;
  @ApiProperty({ type: [String], example: ['G-ABC123', '123456'] }) trackingIds!: readonly string[];
  @ApiProperty({ example: 1 }) spread!: number;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
}

export class SiteListAnswer {
  @ApiProperty({ type: [SiteAnswer], description: 'Ordered by domain.' }) sites!: readonly SiteAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function siteAnswer({
  id,
  domain,
  name,
  timezone,
  currency,
  trackingIds,
  spread,
  createdAt,
}: Site): SiteAnswer {
  return { id, domain, name, timezone, currency, trackingIds, spread, createdAt: createdAt.toISOString() };
}
