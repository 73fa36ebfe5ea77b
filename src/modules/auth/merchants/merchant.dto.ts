// Merchants, members and invitations as they go over HTTP: what is accepted, what is answered, how both are
// documented.
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsEmail, IsIn, MaxLength } from 'class-validator';
import type { Role } from '../../../events/merchant.events.js';
import { IfGiven, IsInvitationToken, IsLine } from '../input-rules.js';
import { EMAIL_CHARACTERS_MAX } from '../people/email-address.js';
import type { Profile } from '../people/people.js';
import { ListParameters } from '../sites/site.dto.js';
import type { Invitation, Member, Merchant } from './merchant.aggregate.js';
import { MerchantNamed } from './merchant-named.js';

const NAME_CHARACTERS_MAX = 120;
const ROLES: readonly Role[] = ['owner', 'admin', 'editor', 'viewer'];
const ROLE =
  'viewer: reads reports; editor: saves goals, segments, funnels and annotations, too; admin: manages sites, keys and members, too; owner: decides about owners, too.';

/** Which merchant; of use to the operator only. */
export class MerchantParameters {
  @MerchantNamed()
  merchant?: string;
}

export class MerchantListParameters extends ListParameters {
  @MerchantNamed()
  merchant?: string;
}

export class SearchParameters extends ListParameters {
  @ApiPropertyOptional({ description: 'Part of the name, whatever its case, or an id.', example: 'shop' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  search?: string;
}

export class NameMerchantBody {
  @ApiProperty({ description: 'Shown to people.', example: 'Example shops' })
  @IsLine(NAME_CHARACTERS_MAX)
  name!: string;
}

export class ChangeRoleBody {
  @ApiProperty({ description: ROLE, enum: ROLES, example: 'admin' })
  @IsIn(ROLES)
  role!: Role;
}

export class InviteBody extends ChangeRoleBody {
  @ApiProperty({ description: 'The invitation goes there, and nowhere else.', example: 'anna@shop.example' })
  @IsEmail()
  @MaxLength(EMAIL_CHARACTERS_MAX)
  email!: string;
}

export class AcceptInvitationBody {
  @ApiProperty({ description: 'As the mail says it.', example: 'i7Gk2mQx9RtP.default.4fQ9sXbT1mVc' })
  @IsInvitationToken()
  token!: string;
}

export class MerchantAnswer {
  @ApiProperty({ example: 'm7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ example: 'Example shops' }) name!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) createdAt!: string;
}

export class CountedMerchantAnswer extends MerchantAnswer {
  @ApiProperty({ description: 'How many.', example: 3 }) members!: number;
  @ApiProperty({ description: 'How many.', example: 12 }) sites!: number;
}

export class MerchantListAnswer {
  @ApiProperty({ type: [CountedMerchantAnswer], description: 'Ordered by id.' })
  merchants!: readonly CountedMerchantAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export class MemberAnswer {
  @ApiProperty({ example: 'p7Gk2mQx9RtP' }) person!: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Null: it was erased.',
    example: 'anna@shop.example',
  })
  email!: string | null;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Null: none was given, or it was erased.',
    example: 'Anna',
  })
  name!: string | null;
  @ApiProperty({ description: ROLE, enum: ROLES, example: 'admin' }) role!: Role;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) joinedAt!: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'By which they joined; null: they registered the merchant.',
    example: 'i7Gk2mQx9RtP',
  })
  invitation!: string | null;
}

export class MemberListAnswer {
  @ApiProperty({ type: [MemberAnswer], description: "Ordered by the person's id." })
  members!: readonly MemberAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export class InvitationAnswer {
  @ApiProperty({ example: 'i7Gk2mQx9RtP' }) id!: string;
  @ApiProperty({ description: ROLE, enum: ROLES, example: 'admin' }) role!: Role;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Null: it was erased.',
    example: 'anna@shop.example',
  })
  email!: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-11-21T10:00:00.000Z' }) sentAt!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-28T10:00:00.000Z' }) expiresAt!: string;
}

export class InvitationListAnswer {
  @ApiProperty({ type: [InvitationAnswer], description: 'Those that can be accepted. Ordered by id.' })
  invitations!: readonly InvitationAnswer[];
  @ApiProperty({ type: String, nullable: true, example: null }) next_cursor!: string | null;
}

export class JoinedAnswer {
  @ApiProperty({ type: MerchantAnswer }) merchant!: MerchantAnswer;
  @ApiProperty({ description: ROLE, enum: ROLES, example: 'admin' }) role!: Role;
}

export const merchantAnswer = ({
  id,
  name,
  createdAt,
}: Pick<Merchant, 'id' | 'name' | 'createdAt'>): MerchantAnswer => ({
  id,
  name,
  createdAt: createdAt.toISOString(),
});

type ShownMember = Omit<Member, 'invitation'> & { readonly invitation?: string | null | undefined };

export const memberAnswer = (
  { person, role, joinedAt, invitation }: ShownMember,
  { email, name }: Profile,
): MemberAnswer => ({
  ...{ person, email, name },
  role,
  joinedAt: joinedAt.toISOString(),
  invitation: invitation ?? null,
});

type ShownInvitation = Pick<Invitation, 'id' | 'role' | 'sentAt' | 'expiresAt'> & {
  readonly email: string | undefined;
};

export const invitationAnswer = ({
  id,
  role,
  email,
  sentAt,
  expiresAt,
}: ShownInvitation): InvitationAnswer => ({
  ...{ id, role, email: email ?? null },
  sentAt: sentAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
});
