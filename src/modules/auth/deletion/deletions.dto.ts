// Deletions as they go over HTTP.
import { ApiProperty } from '@nestjs/swagger';

export const DELETION_STATES = ['waiting', 'erasing', 'erased'] as const;

export class DeletionAnswer {
  @ApiProperty({ description: 'Id of the deleted site.', example: 's7Gk2mQx9RtP' }) site!: string;
  @ApiProperty({
    enum: DELETION_STATES,
    description:
      '`waiting`: for the end of the grace; `erasing`: it is over; `erased`: no table holds a row of it.',
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
  @ApiProperty({ description: 'Rows erased so far.', example: 0 }) rows!: number;
  @ApiProperty({ description: 'How often all tables were gone through so far.', example: 0 })
  passes!: number;
}

export class DeletionListAnswer {
  @ApiProperty({ type: [DeletionAnswer], description: 'By id.' }) deletions!: readonly DeletionAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}
