// The audit trail as it goes over HTTP: what is asked, what is answered, how both are documented.
import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IfGiven, IsLine, IsTime, rule } from '../input-rules.js';
import { MerchantNamed } from '../merchants/merchant-named.js';
import { EMAIL_CHARACTERS_MAX } from '../people/email-address.js';
import { ListParameters } from '../sites/site.dto.js';
import { CALLER_KINDS, type CallerKind } from '../origin.js';
import { AUDITED_TYPES } from './audit-entry.js';
import { AUDIT_FORMATS, type AuditFormat } from './audit-file.js';
import type { AuditPage, AuditQuestion, ShownEntry } from './audit-trail.js';

const STREAM_CHARACTERS_MAX = 300;
const ID_CHARACTERS_MAX = 64;
const TYPES_MAX = 20;
const ORDERS = ['oldest', 'newest'] as const;

const areTypes = (value: unknown): boolean => {
  const types = typeof value === 'string' ? value.split(',') : [];
  return types.length > 0 && types.length <= TYPES_MAX && types.every((type) => AUDITED_TYPES.includes(type));
};

class AuditFilters extends ListParameters {
  @ApiPropertyOptional({
    description:
      'Only what this one did: id or e-mail address of an account, id or prefix of a key, `operator`, or a part of the program such as `deletion`.',
    example: 'operator',
  })
  @IfGiven()
  @IsLine(EMAIL_CHARACTERS_MAX)
  by?: string;

  @ApiPropertyOptional({ description: 'Only what such callers did.', enum: CALLER_KINDS })
  @IfGiven()
  @IsIn(CALLER_KINDS)
  kind?: CallerKind;

  @ApiPropertyOptional({
    description: `Only events of this type, or of these, with commas between them: ${TYPES_MAX} at most.`,
    example: 'SiteCreated,SiteDeleted',
  })
  @IfGiven()
  @rule('areTypes', {
    holds: areTypes,
    otherwise: `must be 1 to ${TYPES_MAX} types of events, such as SiteCreated,SiteDeleted`,
  })
  type?: string;

  @ApiPropertyOptional({
    description: 'Only of this stream, such as one site, one key or one dead letter.',
    example: 'site-s7Gk2mQx9RtP',
  })
  @IfGiven()
  @IsLine(STREAM_CHARACTERS_MAX)
  stream?: string;

  @ApiPropertyOptional({
    description: 'Only what concerns this site, also after it was deleted: its id.',
    example: 's7Gk2mQx9RtP',
  })
  @IfGiven()
  @IsLine(ID_CHARACTERS_MAX)
  site?: string;

  @ApiPropertyOptional({ description: 'Not before.', format: 'date-time', example: '2026-11-01T00:00:00Z' })
  @IfGiven()
  @IsTime()
  since?: string;

  @ApiPropertyOptional({ description: 'Before.', format: 'date-time', example: '2036-12-01T00:00:00Z' })
  @IfGiven()
  @IsTime()
  until?: string;

  @ApiPropertyOptional({ description: 'Which come first.', enum: ORDERS, default: 'oldest' })
  @IfGiven()
  @IsIn(ORDERS)
  order: (typeof ORDERS)[number] = 'oldest';
}

export class AuditParameters extends AuditFilters {
  @ApiPropertyOptional({ description: 'Only what concerns this merchant: its id.', example: 'default' })
  @IfGiven()
  @IsLine(ID_CHARACTERS_MAX)
  merchant?: string;
}

export class MerchantAuditParameters extends AuditFilters {
  @MerchantNamed()
  merchant?: string;
}

const Format = () =>
  ApiPropertyOptional({
    description: 'Of the file.',
    enum: AUDIT_FORMATS,
    default: 'ndjson',
    example: 'csv',
  });

export class AuditExportParameters extends OmitType(AuditParameters, ['limit', 'cursor']) {
  @Format()
  @IfGiven()
  @IsIn(AUDIT_FORMATS)
  format: AuditFormat = 'ndjson';
}

export class MerchantAuditExportParameters extends OmitType(MerchantAuditParameters, ['limit', 'cursor']) {
  @Format()
  @IfGiven()
  @IsIn(AUDIT_FORMATS)
  format: AuditFormat = 'ndjson';
}

/** What is asked, without who asks. */
export function questionOf(asked: Omit<AuditFilters, 'limit' | 'cursor'>): Omit<AuditQuestion, 'reader'> {
  const { by, kind, type, stream, site, since, until, order } = asked;
  const timeOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  const times = { since: timeOf(since), until: timeOf(until) };
  return { by, order, selection: { kind, types: type?.split(','), stream, site, ...times } };
}

export class AuditEntryAnswer {
  @ApiProperty({ description: 'Counts all entries in the order in which things happened.', example: 17 })
  entry!: number;

  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) at!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      'Who did it: id of the key, `person-` with the id of the account, `operator`, or which part of the program; null where nobody was named.',
    example: 'operator',
  })
  by!: string | null;

  @ApiProperty({ enum: CALLER_KINDS, nullable: true, example: 'operator' }) kind!: CallerKind | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'E-mail address of the account that did it; null where none did, or it was erased.',
    example: null,
  })
  email!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Id of the request, as its answer has it in X-Request-Id, and our log.',
    example: '5f0c1e0e-8f5f-4a52-9d5f-0d2b1b0f8a11',
  })
  request!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'From which country; null where it is not known. Addresses are not kept.',
    example: 'AT',
  })
  country!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'By what kind of program.',
    example: 'tidemark-cli',
  })
  client!: string | null;

  @ApiProperty({ description: 'What it was done to.', example: 'site-s7Gk2mQx9RtP' }) stream!: string;
  @ApiProperty({ description: 'Place within the stream.', example: 0 }) revision!: number;
  @ApiProperty({ example: 'SiteDeleted' }) type!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Which merchant it concerns.',
    example: 'default',
  })
  merchant!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Which site.', example: 's7Gk2mQx9RtP' })
  site!: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Without what might help to find out a key, and without personal data.',
    example: { site: 's7Gk2mQx9RtP' },
  })
  data!: object;
}

export class AuditAnswer {
  @ApiProperty({ type: [AuditEntryAnswer] })
  entries!: readonly AuditEntryAnswer[];

  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;

  @ApiProperty({
    description: 'False: of the last moments something may be missing. Ask again.',
    example: true,
  })
  up_to_date!: boolean;
}

export const auditAnswer = ({ entries, nextCursor, upToDate }: AuditPage): AuditAnswer => ({
  entries: entries.map(auditEntryAnswer),
  next_cursor: nextCursor,
  up_to_date: upToDate,
});

/** Field by field, so that pages, files and what is documented have the same, in the same order. */
export const auditEntryAnswer = (shown: ShownEntry): AuditEntryAnswer => {
  const { entry, at, by, kind, email, request, country, client } = shown;
  const { stream, revision, type, merchant, site, data } = shown;
  const who = { by, kind, email, request, country, client };
  return { entry, at: at.toISOString(), ...who, stream, revision, type, merchant, site, data };
};
