// API keys as they go over HTTP. Only the answer to the issuing request holds the key itself.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn, IsInt, Max, Min, ValidateIf } from 'class-validator';
import type { KeyScope } from '../../../events/key.events.js';
import { IfGiven, IsLine, IsTimeToCome } from '../input-rules.js';
import { MerchantNamed } from '../merchants/merchant-named.js';
import type { ApiKey } from './key.aggregate.js';

const NAME_CHARACTERS_MAX = 120;
const LIFETIME_YEARS_MAX = 10;
const OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 2_592_000;

/** The operator's scope is not among them: there is one operator key per installation. */
const ISSUABLE_SCOPES: readonly KeyScope[] = ['ingest', 'ingest:server', 'stats:read', 'sites:admin'];

const EXPIRY = {
  type: String,
  format: 'date-time',
  example: '2030-06-30T00:00:00.000Z',
} as const;

export class IssueKeyBody {
  @ApiProperty({ description: 'To tell it from others.', example: 'Shop server' })
  @IsLine(NAME_CHARACTERS_MAX)
  name!: string;

  @ApiProperty({
    description: 'What it may do. `ingest` may be public in a page and is for keys of one site only.',
    enum: ISSUABLE_SCOPES,
    isArray: true,
    example: ['ingest:server'],
  })
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(ISSUABLE_SCOPES, { each: true })
  scopes!: KeyScope[];

  @ApiPropertyOptional({
    ...EXPIRY,
    description: `When it ends by itself, within ${LIFETIME_YEARS_MAX} years. Default: when the key ends by which it is issued, which it cannot outlast, if that ends at all.`,
  })
  @IfGiven()
  @IsTimeToCome(LIFETIME_YEARS_MAX)
  expiresAt?: string;
}

export class ChangeKeyBody {
  @ApiPropertyOptional({ description: 'To tell it from others.', example: 'Shop server' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({
    ...EXPIRY,
    nullable: true,
    description: 'When it ends by itself; null: not before it is revoked. A key that has expired stays so.',
  })
  @ValidateIf((_, value) => value !== undefined && value !== null)
  @IsTimeToCome(LIFETIME_YEARS_MAX)
  expiresAt?: string | null;
}

export class RotateKeyBody {
  @ApiPropertyOptional({
    description: 'How long the old key stays good beside the new one.',
    default: OVERLAP_SECONDS,
    minimum: 0,
    maximum: OVERLAP_SECONDS_MAX,
    example: 3600,
  })
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS_MAX)
  overlapSeconds: number = OVERLAP_SECONDS;

  @ApiPropertyOptional({
    ...EXPIRY,
    description: 'When the new key ends by itself. Default: when the old one would have.',
  })
  @IfGiven()
  @IsTimeToCome(LIFETIME_YEARS_MAX)
  expiresAt?: string;
}

export class IssueMerchantKeyBody extends IssueKeyBody {
  @MerchantNamed()
  merchant?: string;
}

export class KeyAnswer {
  @ApiProperty({ example: 'k7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ description: 'How the key begins.', example: 'tm_4fQ9sXb' }) prefix!: string;
  @ApiProperty({ example: 'Shop server' }) name!: string;
  @ApiProperty({ type: [String], example: ['ingest:server'] }) scopes!: readonly KeyScope[];
  @ApiProperty({
    type: String,
    nullable: true,
    description: "Null: all of the merchant's sites.",
    example: 's7Gk2mQx9RtP',
  })
  site!: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
  @ApiProperty({ ...EXPIRY, nullable: true, description: 'Null: good until it is revoked.' })
  expiresAt!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'To within a few minutes; null: not used yet.',
    example: '2026-11-21T10:05:00.000Z',
  })
  lastUsedAt!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Id of the key that takes its place; null: it was not rotated.',
    example: null,
  })
  successor!: string | null;
}

export class IssuedKeyAnswer extends KeyAnswer {
  @ApiProperty({ description: 'Shown this once.', example: 'tm_4fQ9sXbT1mVc7Yd2KpLr8WnE5h2GwBRl' })
  key!: string;
}

export class KeyListAnswer {
  @ApiProperty({ type: [KeyAnswer] }) keys!: readonly KeyAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function keyAnswer(key: ApiKey, lastUsedAt: Date | undefined): KeyAnswer {
  const { id, prefix, name, scopes, site, createdAt, expiresAt, successor } = key;
  return {
    ...{ id, prefix, name, scopes, site, successor },
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
