// The audit trail as it goes over HTTP.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IfGiven, IsLine } from '../input-rules.js';
import { ListParameters } from '../sites/site.dto.js';
import type { AuditEntry } from './audit-entry.js';

const STREAM_CHARACTERS_MAX = 300;

export class AuditParameters extends ListParameters {
  @ApiPropertyOptional({
    description: 'Only of this stream, such as one site, one key or one dead letter.',
    example: 'site-s7Gk2mQx9RtP',
  })
  @IfGiven()
  @IsLine(STREAM_CHARACTERS_MAX)
  stream?: string;
}

export class AuditEntryAnswer {
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) at!: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Id of the key that did it, `operator`, or what else acted; null where nobody was named.',
    example: 'operator',
  })
  by!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'The network that the request came from, an IPv4 /24 or an IPv6 /48; null where none is noted: only of what people do to their accounts.',
    example: null,
  })
  from!: string | null;
  @ApiProperty({ description: 'What it was done to.', example: 'site-s7Gk2mQx9RtP' }) stream!: string;
  @ApiProperty({ description: 'Place within the stream.', example: 0 }) revision!: number;
  @ApiProperty({ example: 'SiteDeleted' }) type!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Without what might help to find out a key.',
    example: { site: 's7Gk2mQx9RtP' },
  })
  data!: Readonly<Record<string, unknown>>;
}

export class AuditAnswer {
  @ApiProperty({ type: [AuditEntryAnswer], description: 'Oldest first.' })
  entries!: readonly AuditEntryAnswer[];

  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export const auditEntryAnswer = ({ at, ...entry }: AuditEntry): AuditEntryAnswer => ({
  at: at.toISOString(),
  ...entry,
});
