// Somebody's own account as it goes over HTTP.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsEmail, IsString, MaxLength } from 'class-validator';
import type { Role } from '../../../events/merchant.events.js';
import { IfGiven, IsLine } from '../input-rules.js';
import { EXAMPLE_PASSWORD, IsCode, IsPassword, IsToken } from './auth.dto.js';
import { EMAIL_CHARACTERS_MAX, normaliseEmail } from './email-address.js';
import type { SignIn } from './sign-ins/sign-in.entity.js';

const NAME_CHARACTERS_MAX = 120;

export class PersonAnswer {
  @ApiProperty({ example: 'p7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ type: String, nullable: true, format: 'email', example: 'kim@shop.example' })
  email!: string | null;
  @ApiProperty({ example: true }) emailVerified!: boolean;
  @ApiProperty({ type: String, nullable: true, example: 'Kim' }) name!: string | null;
  @ApiProperty({ description: 'Whether signing in takes a code besides the password.', example: false })
  totp!: boolean;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) registeredAt!: string;
}

export class MembershipAnswer {
  @ApiProperty({ example: 'm7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ example: 'Example Ltd' }) name!: string;
  @ApiProperty({ enum: ['owner', 'admin', 'editor', 'viewer'], example: 'owner' }) role!: Role;
}

export class MeAnswer {
  @ApiProperty({ description: 'As which changes are written down.', example: 'person-p7Gk2mQx9RtP' })
  id!: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'For whom requests act; null: the operator, for all, or somebody who is no member anywhere.',
    example: 'm7Gk2mQx9RtP',
  })
  merchant!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'The only site that is reached; null: all of the merchant’s.',
    example: null,
  })
  site!: string | null;
  @ApiProperty({ type: [String], description: 'What may be done.', example: ['stats:read'] })
  scopes!: readonly string[];
  @ApiPropertyOptional({ type: PersonAnswer, description: 'Absent: it is a key.' })
  person?: PersonAnswer;
  @ApiPropertyOptional({ type: [MembershipAnswer], description: 'Whom the person may act for.' })
  merchants?: readonly MembershipAnswer[];
  @ApiPropertyOptional({ description: 'For X-CSRF-Token, where the request came by cookie.' })
  csrf_token?: string;
}

export class ChangeMeBody {
  @ApiPropertyOptional({ example: 'Kim' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({
    format: 'email',
    description: 'In force once the link of the mail is opened that goes there; needs `password`.',
  })
  @IfGiven()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? normaliseEmail(value) : value))
  @IsEmail({}, { message: 'email must be an address such as kim@shop.example' })
  @MaxLength(EMAIL_CHARACTERS_MAX)
  email?: string;

  @ApiPropertyOptional({ description: 'The present one, to change the address.' })
  @IfGiven()
  @IsString()
  @IsPassword()
  password?: string;
}

export class ChangePasswordBody {
  @ApiProperty({ example: EXAMPLE_PASSWORD })
  @IsString()
  @IsPassword()
  oldPassword!: string;

  @ApiProperty({ example: 'a fresh horse battery staple' })
  @IsString()
  @IsPassword()
  newPassword!: string;
}

/** That it is really them at the keyboard: what the account has. */
export class PresenceBody {
  @ApiPropertyOptional({ description: 'Needed where the account has one.', example: EXAMPLE_PASSWORD })
  @IfGiven()
  @IsString()
  @IsPassword()
  password?: string;

  @ApiPropertyOptional({
    description: 'What the app shows, or a recovery code; needed where the account has a second factor.',
    example: '123456',
  })
  @IfGiven()
  @IsString()
  @IsCode()
  code?: string;
}

export class AccountAnswer {
  @ApiProperty({ type: PersonAnswer }) person!: PersonAnswer;
  @ApiProperty({ type: [MembershipAnswer], description: 'In the order of joining.' })
  merchants!: readonly MembershipAnswer[];
}

export class EnrolTotpBody {
  @ApiProperty({ example: EXAMPLE_PASSWORD })
  @IsString()
  @IsPassword()
  password!: string;
}

export class TotpEnrolmentAnswer {
  @ApiProperty({
    description: 'Base32, to be typed into an app.',
    example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  })
  secret!: string;
  @ApiProperty({
    description: 'To be shown as a QR code.',
    example: 'otpauth://totp/Tidemark:kim@shop.example?…',
  })
  uri!: string;
  @ApiProperty({ description: 'To be sent back with the first code, within 15 minutes.', example: 'AbCd' })
  enrolment!: string;
}

export class ConfirmTotpBody {
  @ApiProperty({ example: 'AbCd' })
  @IsString()
  @IsToken()
  enrolment!: string;

  @ApiProperty({ description: 'What the app shows.', example: '123456' })
  @IsString()
  @IsCode()
  code!: string;
}

export class DisableTotpBody extends EnrolTotpBody {
  @ApiProperty({ description: 'What the app shows, or a recovery code.', example: '123456' })
  @IsString()
  @IsCode()
  code!: string;
}

export class RecoveryCodesAnswer {
  @ApiProperty({
    type: [String],
    description: 'Shown this once. Each signs in once without the app.',
    example: ['4fQ9s-XbT1m'],
  })
  recoveryCodes!: readonly string[];
}

export class SessionAnswer {
  @ApiProperty({ example: 'si7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ description: 'The one that asks.', example: true }) current!: boolean;
  @ApiProperty({ enum: ['token', 'cookie'], example: 'token' }) by!: 'token' | 'cookie';
  @ApiProperty({ description: 'Where from, not to the single address.', example: '192.0.2.0/24' })
  network!: string;
  @ApiProperty({ type: String, nullable: true, example: 'curl/8.5.0' }) userAgent!: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) lastUsedAt!: string;
  @ApiProperty({ format: 'date-time', example: '2026-12-05T10:00:00.000Z' }) expiresAt!: string;
}

export class SessionListAnswer {
  @ApiProperty({ type: [SessionAnswer] }) sessions!: readonly SessionAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export const sessionAnswer = (signIn: SignIn, current: string | null): SessionAnswer => ({
  id: signIn.id,
  current: signIn.id === current,
  by: signIn.byCookie ? 'cookie' : 'token',
  network: signIn.network,
  userAgent: signIn.userAgent,
  createdAt: signIn.createdAt.toISOString(),
  lastUsedAt: signIn.lastUsedAt.toISOString(),
  expiresAt: signIn.expiresAt.toISOString(),
});
