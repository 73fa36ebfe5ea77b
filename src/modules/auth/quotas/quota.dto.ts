// Quotas and usage as they go over HTTP: what is accepted, what is answered, how both are documented.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsInt, Matches, Max, Min, ValidateIf } from 'class-validator';
import { QUOTA_POLICIES, type QuotaPolicy } from '../../../events/quota.events.js';
import { IfGiven } from '../input-rules.js';
import { MerchantListParameters } from '../merchants/merchant.dto.js';
import { ExcessAnswer } from './excess-answer.js';
import { monthOf } from './usage-month.js';

const EVENTS_MAX = 1_000_000_000_000;
const GRACE_PERCENT_MAX = 1_000;
const SAMPLE_PERCENT_MAX = 99;
const EVENTS = 'Events in a month of UTC, of all sites together; null: no limit.';
const GRACE = 'How much more is taken, in percent of the quota.';
const POLICY =
  'What becomes of events beyond quota and grace. refuse: intake answers 429 until the month ends; hide: they are kept, and no answer shows them until more is allowed; sample: those of a share of the visitors are kept.';
const SAMPLE = 'Of the visitors, whose events `sample` keeps, in percent.';
const HIDDEN = 'Of these, that no answer shows at the moment.';
const DROPPED = 'Beyond these: not kept, because only a share of the visitors was.';
const EXCESSES = 'Times of the month in which something is hidden, or was not kept.';
const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const MONTH_MESSAGE = 'month must be a month such as 2026-11';

export class SetQuotaBody {
  @ApiProperty({ type: Number, nullable: true, description: EVENTS, example: 1_000_000, maximum: EVENTS_MAX })
  @ValidateIf((_, value) => value !== null)
  @IsInt()
  @Min(0)
  @Max(EVENTS_MAX)
  eventsPerMonth!: number | null;

  @ApiPropertyOptional({ description: GRACE, default: 0, maximum: GRACE_PERCENT_MAX, example: 10 })
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(GRACE_PERCENT_MAX)
  gracePercent?: number;

  @ApiPropertyOptional({
    description: `${POLICY} By default what MERCHANT_QUOTA_POLICY says.`,
    enum: QUOTA_POLICIES,
    example: 'hide',
  })
  @IfGiven()
  @IsIn(QUOTA_POLICIES)
  policy?: QuotaPolicy;

  @ApiPropertyOptional({
    description: `${SAMPLE} By default what MERCHANT_QUOTA_SAMPLE_PERCENT says.`,
    minimum: 1,
    maximum: SAMPLE_PERCENT_MAX,
    example: 10,
  })
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(SAMPLE_PERCENT_MAX)
  samplePercent?: number;
}

export class RevealBody {
  @ApiProperty({ description: 'A month of UTC.', example: monthOf(Date.UTC(2026, 10)) })
  @Matches(MONTH, { message: MONTH_MESSAGE })
  month!: string;
}

export class UsageParameters extends MerchantListParameters {
  @ApiPropertyOptional({
    description: 'A month of UTC; the present one by default.',
    example: monthOf(Date.UTC(2026, 10)),
  })
  @IfGiven()
  @Matches(MONTH, { message: MONTH_MESSAGE })
  month?: string;
}

export class QuotaAnswer {
  @ApiProperty({ example: 'default' }) merchant!: string;
  @ApiProperty({ type: Number, nullable: true, description: EVENTS, example: 1_000_000 })
  eventsPerMonth!: number | null;
  @ApiProperty({ description: GRACE, example: 10 }) gracePercent!: number;
  @ApiProperty({ description: POLICY, enum: QUOTA_POLICIES, example: 'refuse' }) policy!: QuotaPolicy;
  @ApiProperty({ description: SAMPLE, example: 10 }) samplePercent!: number;
  @ApiProperty({ description: "It was not set for this merchant: the installation's settings hold." })
  isDefault!: boolean;
  @ApiProperty({ description: 'The present one.', example: '2026-11' }) month!: string;
  @ApiProperty({
    description: 'In this month, as written down by intake some seconds ago.',
    example: 812_345,
  })
  usedEvents!: number;
  @ApiProperty({ description: HIDDEN, example: 0 }) hiddenEvents!: number;
  @ApiProperty({ description: DROPPED, example: 0 }) droppedEvents!: number;
  @ApiProperty({ description: 'Quota and grace are used up.' }) isOver!: boolean;
  @ApiProperty({ type: [ExcessAnswer], description: EXCESSES }) excesses!: readonly ExcessAnswer[];
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'The highest part of the quota, in percent, that was warned of in this month.',
    example: 80,
  })
  warnedPercent!: number | null;
}

export class SiteUsageAnswer {
  @ApiProperty({ example: 's7Gk2mQx9RtP' }) site!: string;
  @ApiProperty({ type: String, nullable: true, description: 'Null: deleted since.', example: 'shop.example' })
  domain!: string | null;
  @ApiProperty({ example: 812_345 }) events!: number;
  @ApiProperty({ description: HIDDEN, example: 0 }) hiddenEvents!: number;
  @ApiProperty({ description: DROPPED, example: 0 }) droppedEvents!: number;
}

export class UsageAnswer {
  @ApiProperty({ example: 'default' }) merchant!: string;
  @ApiProperty({ example: '2026-11' }) month!: string;
  @ApiProperty({ description: 'Of all sites, those on other pages, too.', example: 812_345 }) events!: number;
  @ApiProperty({ description: HIDDEN, example: 0 }) hiddenEvents!: number;
  @ApiProperty({ description: DROPPED, example: 0 }) droppedEvents!: number;
  @ApiProperty({ description: POLICY, enum: QUOTA_POLICIES, example: 'refuse' }) policy!: QuotaPolicy;
  @ApiProperty({ type: [ExcessAnswer], description: EXCESSES }) excesses!: readonly ExcessAnswer[];
  @ApiProperty({ type: [SiteUsageAnswer], description: 'Those with events. Ordered by id.' })
  sites!: readonly SiteUsageAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

/** RFC 4180. Ids and host names need no quotes, and none of them looks like a formula. */
export const usageCsv = ({ sites }: Pick<UsageAnswer, 'sites'>): string =>
  [
    'site,domain,events,hidden,dropped',
    ...sites.map(({ site, domain, events, hiddenEvents, droppedEvents }) =>
      [site, domain ?? '', events, hiddenEvents, droppedEvents].join(','),
    ),
    '',
  ].join('\r\n');
