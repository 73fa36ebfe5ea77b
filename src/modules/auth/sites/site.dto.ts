// Sites as they go over HTTP: what is accepted, what is answered, how both are documented.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { type Consent, CONSENTS, WEEK_STARTS, type WeekStart } from '../../../events/site.events.js';
import { IfGiven, IsSiteDomain } from '../input-rules.js';
import { normaliseDomain } from './domain.js';
import { MerchantNamed } from '../merchants/merchant-named.js';
import { ExclusionsAnswer, SiteSettingsBody } from './site-settings.dto.js';
import type { Site } from './site.aggregate.js';

const PAGE_ITEMS = 100;
const PAGE_ITEMS_MAX = 1_000;

const Normalised = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? (normaliseDomain(value) ?? value) : value,
  );

export class CreateSiteBody extends SiteSettingsBody {
  @ApiProperty({
    description: 'Host name, of this site only. Case, a leading www. and a scheme do not matter.',
    example: 'shop.example',
  })
  @Normalised()
  @IsSiteDomain()
  domain!: string;

  @MerchantNamed()
  merchant?: string;
}

export class ChangeSiteBody extends SiteSettingsBody {
  @ApiPropertyOptional({
    description:
      'Another host name for the site, whose id stays. The present one is released, unless `aliases` names it.',
    example: 'shop.example',
  })
  @IfGiven()
  @Normalised()
  @IsSiteDomain()
  domain?: string;
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
  @ApiProperty({ type: [String], example: ['shop-old.example'] }) aliases!: readonly string[];
  @ApiProperty({ example: 'Example shop' }) name!: string;
  @ApiProperty({ example: 'Europe/Vienna' }) timezone!: string;
  @ApiProperty({ example: 'EUR' }) currency!: string;
  @ApiProperty({ enum: WEEK_STARTS, example: 'monday' }) weekStart!: WeekStart;
  @ApiProperty({ type: [String], example: ['G-ABC123', '123456'] }) trackingIds!: readonly string[];
  @ApiProperty({ enum: CONSENTS, example: 'cookieless' }) consentMode!: Consent;
  @ApiProperty({ type: [String], example: ['shop.example', '*.shop.example'] })
  allowedOrigins!: readonly string[];
  @ApiProperty({ type: [String], example: ['shop.example', '*.shop.example'] })
  hostnames!: readonly string[];
  @ApiProperty({ type: [String], example: ['page', 'category'] }) queryParameters!: readonly string[];
  @ApiProperty({ type: ExclusionsAnswer }) exclusions!: ExclusionsAnswer;
  @ApiProperty({ example: 1 }) spread!: number;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
}

export class SiteListAnswer {
  @ApiProperty({ type: [SiteAnswer], description: 'Ordered by domain.' }) sites!: readonly SiteAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function siteAnswer(site: Site): SiteAnswer {
  const { id, domain, aliases, name, timezone, currency, weekStart, trackingIds, consentMode } = site;
  const { allowedOrigins, hostnames, queryParameters, exclusions, spread, createdAt } = site;
  return {
    ...{ id, domain, aliases, name, timezone, currency, weekStart, trackingIds, consentMode },
    ...{ allowedOrigins, hostnames, queryParameters, exclusions, spread },
    createdAt: createdAt.toISOString(),
  };
}
