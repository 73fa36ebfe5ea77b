// Deletions as they go over HTTP.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { IfGiven, IsLine } from '../input-rules.js';
import { PresenceBody } from '../people/me.dto.js';
import { ListParameters } from '../sites/site.dto.js';
import type { Deletion } from './deletions.js';

export const DELETION_STATES = ['deleting', 'waiting', 'erasing', 'erased'] as const;
const NAME_CHARACTERS_MAX = 120;
const CONFIRM = {
  description: "The merchant's name or id, so that nobody does it by accident.",
  example: 'Example shops',
};

export class ConfirmDeletionBody {
  @ApiProperty(CONFIRM)
  @IsLine(NAME_CHARACTERS_MAX)
  confirm!: string;
}

export class DeleteMerchantBody extends PresenceBody {
  @ApiProperty(CONFIRM)
  @IsLine(NAME_CHARACTERS_MAX)
  confirm!: string;
}

export class DeletionParameters extends ListParameters {
  @ApiPropertyOptional({ description: 'Only this merchant, and its sites.', example: 'm7Gk2mQx9RtP' })
  @IfGiven()
  @IsString()
  @Matches(/^[\w-]{1,64}$/, { message: 'merchant is the id of no merchant' })
  merchant?: string;
}

export class DeletionAnswer {
  @ApiProperty({ enum: ['site', 'merchant'], description: 'What was deleted.', example: 'site' })
  kind!: 'site' | 'merchant';
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Id of the deleted site; null: a merchant was deleted.',
    example: 's7Gk2mQx9RtP',
  })
  site!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Id of the deleted merchant, or of the one whose the site was; null where nobody knows.',
    example: 'default',
  })
  merchant!: string | null;
  @ApiProperty({
    enum: DELETION_STATES,
    description:
      '`deleting`: a merchant has sites or keys left that are being deleted; `waiting`: for the end of the grace; `erasing`: it is over; `erased`: no table holds a row of it.',
    example: 'waiting',
  })
  state!: (typeof DELETION_STATES)[number];
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) deletedAt!: string;
  @ApiProperty({
    format: 'date-time',
    description: 'When the grace ends.',
    example: '2026-11-28T10:00:00.000Z',
  })
  eraseAfter!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null }) erasedAt!: string | null;
  @ApiProperty({ description: 'Sites and keys of a merchant that are still to be deleted.', example: 0 })
  left!: number;
  @ApiProperty({ description: 'Rows erased so far.', example: 0 }) rows!: number;
  @ApiProperty({ description: 'How often all tables were gone through so far.', example: 0 })
  passes!: number;
}

export class DeletionListAnswer {
  @ApiProperty({ type: [DeletionAnswer], description: 'Merchants first, by id.' })
  deletions!: readonly DeletionAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export function deletionAnswer(deletion: Deletion): DeletionAnswer {
  const { kind, subject, merchant, deletedAt, eraseAfter, erasedAt, left, rows, passes } = deletion;
  return {
    ...{ kind, site: kind === 'site' ? subject : null, merchant, state: stateOf(deletion) },
    deletedAt: deletedAt.toISOString(),
    eraseAfter: eraseAfter.toISOString(),
    erasedAt: erasedAt?.toISOString() ?? null,
    ...{ left, rows, passes },
  };
}

function stateOf({ erasedAt, left, eraseAfter }: Deletion): DeletionAnswer['state'] {
  if (erasedAt !== null) return 'erased';
  if (left > 0) return 'deleting';
  return eraseAfter.getTime() <= Date.now() ? 'erasing' : 'waiting';
}
