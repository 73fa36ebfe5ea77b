// Registering and signing in as they go over HTTP. Answers with tokens have the names of OAuth 2.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsEmail, IsString, Length, MaxLength } from 'class-validator';
import { IfGiven, IsInvitationToken, IsLine } from '../input-rules.js';
import { EMAIL_CHARACTERS_MAX, normaliseEmail } from './email-address.js';
import { PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from './passwords/password-rules.js';
import { TOKEN_CHARACTERS_MAX } from './tokens/mailed-tokens.js';

const NAME_CHARACTERS_MAX = 120;
const ID_CHARACTERS_MAX = 100;
const CODE_CHARACTERS_MAX = 30;
/** UTF-16 units: what is longer is no password that anybody could have set. */
const PASSWORD_UNITS_MAX = 4 * PASSWORD_CHARACTERS_MAX;

const EXAMPLE_EMAIL = 'kim@shop.example';
export const EXAMPLE_PASSWORD = 'correct horse battery staple';

const Normalised = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? normaliseEmail(value) : value));

export const IsPassword = () => Length(1, PASSWORD_UNITS_MAX);
export const IsToken = () => Length(1, TOKEN_CHARACTERS_MAX);
export const IsCode = () => Length(1, CODE_CHARACTERS_MAX);

export class EmailBody {
  @ApiProperty({ format: 'email', maxLength: EMAIL_CHARACTERS_MAX, example: EXAMPLE_EMAIL })
  @Normalised()
  @IsEmail({}, { message: 'email must be an address such as kim@shop.example' })
  @MaxLength(EMAIL_CHARACTERS_MAX)
  email!: string;
}

export class RegisterBody extends EmailBody {
  @ApiProperty({
    description: `Between ${PASSWORD_CHARACTERS_MIN} and ${PASSWORD_CHARACTERS_MAX} characters of any kind; common ones are refused.`,
    example: EXAMPLE_PASSWORD,
  })
  @IsString()
  @IsPassword()
  password!: string;

  @ApiPropertyOptional({ description: 'Of the person.', example: 'Kim' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({ description: 'Of what the sites will belong to.', example: 'Example Ltd' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  merchantName?: string;

  @ApiPropertyOptional({ description: 'Where only who was invited may register: as the mail says it.' })
  @IfGiven()
  @IsInvitationToken()
  invitation?: string;
}

export class LoginBody extends EmailBody {
  @ApiProperty({ example: EXAMPLE_PASSWORD })
  @IsString()
  @IsPassword()
  password!: string;

  @ApiPropertyOptional({ description: 'The code of an authenticator app, or a recovery code.' })
  @IfGiven()
  @IsString()
  @IsCode()
  totp?: string;

  @ApiPropertyOptional({
    description: 'For whom to act. Default: the merchant that the person joined first.',
  })
  @IfGiven()
  @IsLine(ID_CHARACTERS_MAX)
  merchant?: string;

  @ApiPropertyOptional({
    description: 'For pages: the sign-in is held by a cookie that scripts cannot read, in place of tokens.',
    default: false,
  })
  @IfGiven()
  @IsBoolean()
  cookie?: boolean;
}

export class TokenBody {
  @ApiProperty({ description: 'Of the mail.', example: 'AbCd' })
  @IsString()
  @IsToken()
  token!: string;
}

export class ResetPasswordBody extends TokenBody {
  @ApiProperty({ description: 'The new one.', example: 'a fresh horse battery staple' })
  @IsString()
  @IsPassword()
  password!: string;
}

export class RefreshBody {
  @ApiProperty({ description: 'Good once.', example: 'si7Gk2mQx9RtP.4fQ9sXbT1mVc7Yd2KpLr8WnE5hJg3AuZ' })
  @IsString()
  @IsToken()
  refresh_token!: string;

  @ApiPropertyOptional({ description: 'For whom to act from now on. Default: as before.' })
  @IfGiven()
  @IsLine(ID_CHARACTERS_MAX)
  merchant?: string;
}

export class LogoutBody {
  @ApiPropertyOptional({
    description: 'Also in every other browser and program.',
    default: false,
    example: false,
  })
  @IfGiven()
  @IsBoolean()
  everywhere?: boolean;
}

export class RegisteredAnswer {
  @ApiProperty({
    description: 'Whether the link of the mail must be opened before signing in.',
    example: false,
  })
  verificationRequired!: boolean;
}

export class TokensAnswer {
  @ApiProperty({ description: 'For Authorization: Bearer.', example: 'eyJhbGciOiJFUzI1NiIs…' })
  access_token!: string;
  @ApiProperty({ enum: ['Bearer'], example: 'Bearer' }) token_type!: 'Bearer';
  @ApiProperty({ description: 'Seconds.', example: 600 }) expires_in!: number;
  @ApiProperty({ example: 'si7Gk2mQx9RtP.4fQ9sXbT1mVc7Yd2KpLr8WnE5hJg3AuZ' }) refresh_token!: string;
}

export class CookieAnswer {
  @ApiProperty({
    description: 'For X-CSRF-Token, with every request by cookie that changes something.',
    example: '1f0d…',
  })
  csrf_token!: string;
  @ApiProperty({ description: 'Seconds until the sign-in ends at the latest.', example: 7_776_000 })
  expires_in!: number;
}
