// API keys as they go over HTTP. Only the answer to the issuing request holds the key itself.
import { ApiProperty } from '@nestjs/swagger';
import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn } from 'class-validator';
import type { KeyScope } from '../../../events/key.events.js';
import { IsLine } from '../input-rules.js';
import { MerchantNamed } from '../merchants/merchant-named.js';
import type { ApiKey } from './key.aggregate.js';

const NAME_CHARACTERS_MAX = 120;

/** The operator's scope is not among them: there is one operator key per installation. */
const ISSUABLE_SCOPES: readonly KeyScope[] = ['ingest', 'ingest:server', 'stats:read', 'sites:admin'];

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
}

export class IssueMerchantKeyBody extends IssueKeyBody {
  @MerchantNamed()
  merchant?: string;
}

export class KeyAnswer {
  @ApiProperty({ example: 'k3Hn8vBw2LzD' }) id!: string;
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
}

export class IssuedKeyAnswer extends KeyAnswer {
  @ApiProperty({ description: 'Shown this once.', example: 'tm_4fQ9sXbT1mVc7Yd2KpLr8WnE5hJg3AuZ' })
  key!: string;
}

export class KeyListAnswer {
  @ApiProperty({ type: [KeyAnswer] }) keys!: readonly KeyAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function keyAnswer({ id, prefix, name, scopes, site, createdAt }: ApiKey): KeyAnswer {
  return { id, prefix, name, scopes, site, createdAt: createdAt.toISOString() };
}
