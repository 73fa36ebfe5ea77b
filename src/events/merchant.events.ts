// What people did to a merchant, the owner of sites, and to who belongs to it. Stream `merchant-{id}`, one for
// all of it, so that one append decides who the owners are and which invitations are open.

/** What a member may do: src/modules/auth/access.ts. */
export type Role = 'owner' | 'admin' | 'editor' | 'viewer';

type OfMember = { readonly merchant: string; readonly person: string };
type OfInvitation = { readonly merchant: string; readonly invitation: string };

export type MerchantEvent =
  | {
      readonly type: 'MerchantRegistered';
      readonly data: { readonly merchant: string; readonly name: string };
    }
  | { readonly type: 'MerchantRenamed'; readonly data: { readonly merchant: string; readonly name: string } }
  | {
      readonly type: 'MemberJoined';
      readonly data: OfMember & {
        readonly role: Role;
        /** Used up by it; absent: whoever registered the merchant. */
        readonly invitation?: string;
      };
    }
  | { readonly type: 'MemberRoleChanged'; readonly data: OfMember & { readonly role: Role } }
  | { readonly type: 'MemberLeft'; readonly data: OfMember }
  | {
      readonly type: 'InvitationSent';
      readonly data: OfInvitation & {
        readonly role: Role;
        /** The address, sealed under a key of the invitation's own. */
        readonly email: string;
        /** HMAC-SHA-256 of merchant and address under the installation's pepper, hexadecimal. */
        readonly addressDigest: string;
        /** HMAC-SHA-256 of the token that only the mail holds. */
        readonly tokenDigest: string;
        /** ISO 8601. */
        readonly expiresAt: string;
      };
    }
  | { readonly type: 'InvitationWithdrawn'; readonly data: OfInvitation }
  | {
      /** Ends all memberships and invitations, and whatever the merchant owns, at once; its stream, too, but for: */
      readonly type: 'MerchantDeleted';
      readonly data: {
        readonly merchant: string;
        /** Who were its members, for those who know them by person. */
        readonly members: readonly string[];
      };
    }
  /** Of a deleted merchant: nothing that it owned is there any more, and no table holds a row of it. `rows` were deleted. */
  | { readonly type: 'MerchantErased'; readonly data: { readonly merchant: string; readonly rows: number } };
