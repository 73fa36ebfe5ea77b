// Shared links as they go over HTTP, for who manages them and for who came by one.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsString, Length, ValidateIf } from 'class-validator';
import { IfGiven, IsLine, IsTimeToCome } from '../input-rules.js';
import { EXAMPLE_PASSWORD, IsPassword } from '../people/auth.dto.js';
import { PASSWORD_CHARACTERS_MIN } from '../people/passwords/password-rules.js';
import { ListOfHosts } from '../sites/site-settings.dto.js';
import { SESSION_LIFE_SECONDS } from './link-sessions.js';
import type { SharedLink } from './shared-link.aggregate.js';

const NAME_CHARACTERS_MAX = 120;
const LIFETIME_YEARS_MAX = 10;
const PASSWORD_UNITS_MAX = 512;
const EXAMPLE_TOKEN = 'l7Gk2mQx9RtP.hVn0m3bYkq8Zt1Xw5cR7pLs2dJf4GaQe';
const NAME = { description: 'To tell it from others.', example: 'For the agency' } as const;
const EXPIRY = { type: String, format: 'date-time', example: '2030-06-30T00:00:00.000Z' } as const;
const HOSTS = {
  description: 'Where it is embeddable: hosts whose pages may show it in a frame; none: any.',
  type: String,
  isArray: true,
  example: ['intranet.shop.example'],
};
const EMBEDDABLE = 'Whether pages of others may show it in a frame. Kept for who serves the dashboard.';

const IfNotNull = () => ValidateIf((_, value) => value !== undefined && value !== null);

class SharedLinkBody {
  @ApiPropertyOptional({ description: EMBEDDABLE, default: false, example: true })
  @IfGiven()
  @IsBoolean()
  embeddable?: boolean;

  @ApiPropertyOptional(HOSTS)
  @ListOfHosts()
  allowedHosts?: string[];
}

export class CreateSharedLinkBody extends SharedLinkBody {
  @ApiProperty(NAME)
  @IsLine(NAME_CHARACTERS_MAX)
  name!: string;

  @ApiPropertyOptional({
    description: `Asked of whoever opens it; at least ${PASSWORD_CHARACTERS_MIN} characters, and not a common one. Default: none.`,
  })
  @IfGiven()
  @IsString()
  @IsPassword()
  password?: string;

  @ApiPropertyOptional({
    ...EXPIRY,
    description: `When it ends by itself, within ${LIFETIME_YEARS_MAX} years. Default: when the key that creates it ends, else not before it is deleted. Not later than that key.`,
  })
  @IfGiven()
  @IsTimeToCome(LIFETIME_YEARS_MAX)
  expiresAt?: string;
}

export class ChangeSharedLinkBody extends SharedLinkBody {
  @ApiPropertyOptional(NAME)
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'Another one; null: none is asked any more. Ends the sessions before.',
    example: null,
  })
  @IfNotNull()
  @IsString()
  @IsPassword()
  password?: string | null;

  @ApiPropertyOptional({
    ...EXPIRY,
    nullable: true,
    description: 'When it ends by itself; null: not before it is deleted.',
  })
  @IfNotNull()
  @IsTimeToCome(LIFETIME_YEARS_MAX)
  expiresAt?: string | null;
}

export class SharedLinkAnswer {
  @ApiProperty({ example: 'l7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ description: 'Opens the link, for whoever has it.', example: EXAMPLE_TOKEN })
  token!: string;
  @ApiProperty({
    description: 'Where to ask what it shows.',
    example: `http://localhost:3000/v1/shared/${EXAMPLE_TOKEN}`,
  })
  url!: string;
  @ApiProperty({ example: NAME.example }) name!: string;
  @ApiProperty({ description: EMBEDDABLE, example: true }) embeddable!: boolean;
  @ApiProperty(HOSTS) allowedHosts!: readonly string[];
  @ApiProperty({ description: 'Whether it asks for a password.', example: false }) hasPassword!: boolean;
  @ApiProperty({ ...EXPIRY, nullable: true, description: 'Null: good until it is deleted.' })
  expiresAt!: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
}

export class SharedLinkListAnswer {
  @ApiProperty({ type: [SharedLinkAnswer] }) sharedLinks!: readonly SharedLinkAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

class SharedSiteAnswer {
  @ApiProperty({ description: 'Also its place in the paths that ask about it.', example: 'shop.example' })
  domain!: string;
  @ApiProperty({ example: 'Shop' }) name!: string;
  @ApiProperty({ example: 'Europe/Vienna' }) timezone!: string;
  @ApiProperty({ example: 'EUR' }) currency!: string;
}

export class SharedAnswer {
  @ApiProperty({ type: SharedSiteAnswer }) site!: SharedSiteAnswer;
  @ApiProperty({ description: 'Whether a session takes a password.', example: false })
  passwordRequired!: boolean;
  @ApiProperty({ description: EMBEDDABLE, example: true }) embeddable!: boolean;
  @ApiProperty(HOSTS) allowedHosts!: readonly string[];
  @ApiProperty({ ...EXPIRY, nullable: true, description: 'Null: good until it is deleted.' })
  expiresAt!: string | null;
}

export class BeginSessionBody {
  @ApiPropertyOptional({ description: 'Where the link asks for one.', example: EXAMPLE_PASSWORD })
  @IfGiven()
  @IsString()
  @Length(1, PASSWORD_UNITS_MAX)
  password?: string;
}

export class SessionAnswer {
  @ApiProperty({ description: 'For Authorization: Bearer.', example: 'eyJhbGciOiJFUzI1NiIs…' })
  access_token!: string;
  @ApiProperty({ enum: ['Bearer'], example: 'Bearer' }) token_type!: 'Bearer';
  @ApiProperty({ description: 'Seconds.', example: SESSION_LIFE_SECONDS }) expires_in!: number;
}

export function sharedLinkAnswer(
  { id, name, embeddable, allowedHosts, password, expiresAt, createdAt }: SharedLink,
  { token, publicUrl }: { readonly token: string; readonly publicUrl: string },
): SharedLinkAnswer {
  return {
    ...{ id, token, url: `${publicUrl}/v1/shared/${token}`, name, embeddable, allowedHosts },
    hasPassword: password !== null,
    expiresAt: expiresAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
