// What people may do to a merchant and its members, and which event that leads to. Decided upon the stream
// itself, also who the one who asks is by now: somebody who was an owner a moment ago decides nothing. Pure.
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import { type Invitation, type Merchant, OPERATORS_MERCHANT } from './merchant.aggregate.js';

const MEMBERS_MAX = 1_000;
const INVITATIONS_OPEN_MAX = 100;

/** A key stands as an admin does: it may not make owners, whoever issued it. */
export type Actor = 'operator' | 'key' | { readonly person: string };

export type MerchantWish =
  | { readonly wish: 'rename'; readonly name: string }
  /** `confirm`: its id or name, so that nobody means another one. */
  | { readonly wish: 'delete'; readonly confirm: string }
  | { readonly wish: 'change-role'; readonly person: string; readonly role: Role }
  | { readonly wish: 'remove'; readonly person: string }
  | { readonly wish: 'invite'; readonly invitation: InvitationDraft }
  | { readonly wish: 'withdraw'; readonly invitation: string }
  | {
      readonly wish: 'accept';
      readonly invitation: string;
      readonly person: string;
      readonly tokenDigest: string;
    };

export type InvitationDraft = Omit<Invitation, 'sentAt'>;

export type MerchantRefusal =
  | 'not-allowed'
  | 'owners-only'
  | 'no-member'
  | 'owner-needed'
  | 'operators-own'
  | 'not-confirmed'
  | 'last-owner'
  | 'member-unknown'
  | 'member-already'
  | 'members-too-many'
  | 'invitation-unknown'
  | 'invitation-not-open'
  | 'invited-already'
  | 'invitations-too-many';

/** `event` null: it is so already. */
export type MerchantDecision =
  { readonly event: MerchantEvent | null } | { readonly refused: MerchantRefusal };

export interface MerchantRequest {
  readonly actor: Actor;
  readonly now: Date;
}

export function decide(
  merchant: Merchant,
  wish: MerchantWish,
  { actor, now }: MerchantRequest,
): MerchantDecision {
  // Accepting is for those who are no members yet, and leaving for each.
  if (wish.wish === 'accept') return accept(merchant, wish, now);
  const isLeaving = wish.wish === 'remove' && typeof actor === 'object' && actor.person === wish.person;
  const role = roleOf(merchant, actor);
  if (wish.wish === 'delete') return deleteAll(merchant, wish.confirm, role);
  if (!isLeaving && role !== 'owner' && role !== 'admin') return { refused: 'not-allowed' };
  switch (wish.wish) {
    case 'rename':
      if (wish.name === merchant.name) return { event: null };
      return { event: { type: 'MerchantRenamed', data: { merchant: merchant.id, name: wish.name } } };
    case 'change-role':
      return changeRole(merchant, wish, role);
    case 'remove':
      return remove(merchant, wish.person, role);
    case 'invite':
      return role !== 'owner' && wish.invitation.role === 'owner'
        ? { refused: 'owners-only' }
        : invite(merchant, wish.invitation, now);
    case 'withdraw':
      return withdraw(merchant, wish.invitation, role);
  }
}

function roleOf(merchant: Merchant, actor: Actor): Role | undefined {
  if (actor === 'operator') return 'owner';
  if (actor === 'key') return 'admin';
  return merchant.members.get(actor.person)?.role;
}

function changeRole(
  merchant: Merchant,
  { person, role }: { readonly person: string; readonly role: Role },
  by: Role | undefined,
): MerchantDecision {
  const member = merchant.members.get(person);
  if (member === undefined) return { refused: 'member-unknown' };
  if (by !== 'owner' && (role === 'owner' || member.role === 'owner')) return { refused: 'owners-only' };
  if (member.role === role) return { event: null };
  if (isLastOwner(merchant, person)) return { refused: 'last-owner' };
  return { event: { type: 'MemberRoleChanged', data: { merchant: merchant.id, person, role } } };
}

function remove(merchant: Merchant, person: string, by: Role | undefined): MerchantDecision {
  const member = merchant.members.get(person);
  if (member === undefined) return { refused: 'member-unknown' };
  if (by !== 'owner' && member.role === 'owner') return { refused: 'owners-only' };
  if (isLastOwner(merchant, person)) return { refused: 'last-owner' };
  return { event: { type: 'MemberLeft', data: { merchant: merchant.id, person } } };
}

/** Without whom there would be no owner. */
export const isLastOwner = ({ members }: Merchant, person: string): boolean =>
  members.get(person)?.role === 'owner' &&
  ![...members.values()].some((one) => one.role === 'owner' && one.person !== person);

function deleteAll(merchant: Merchant, confirm: string, by: Role | undefined): MerchantDecision {
  if (by === undefined) return { refused: 'no-member' };
  if (by !== 'owner') return { refused: 'owner-needed' };
  if (merchant.id === OPERATORS_MERCHANT) return { refused: 'operators-own' };
  if (confirm !== merchant.id && confirm !== merchant.name) return { refused: 'not-confirmed' };
  const members = [...merchant.members.keys()];
  return { event: { type: 'MerchantDeleted', data: { merchant: merchant.id, members } } };
}

function invite(merchant: Merchant, draft: InvitationDraft, now: Date): MerchantDecision {
  // The same request, sent again.
  if (merchant.invitations.get(draft.id)?.tokenDigest === draft.tokenDigest) return { event: null };
  const open = [...merchant.invitations.values()].filter(({ expiresAt }) => expiresAt > now);
  if (open.some(({ addressDigest }) => addressDigest === draft.addressDigest)) {
    return { refused: 'invited-already' };
  }
  if (open.length >= INVITATIONS_OPEN_MAX) return { refused: 'invitations-too-many' };
  const { id: invitation, expiresAt, role, email, addressDigest, tokenDigest } = draft;
  return {
    event: {
      type: 'InvitationSent',
      data: {
        ...{ merchant: merchant.id, invitation, role, email, addressDigest, tokenDigest },
        expiresAt: expiresAt.toISOString(),
      },
    },
  };
}

function withdraw(merchant: Merchant, id: string, by: Role | undefined): MerchantDecision {
  const invitation = merchant.invitations.get(id);
  if (invitation === undefined) return { refused: 'invitation-unknown' };
  if (by !== 'owner' && invitation.role === 'owner') return { refused: 'owners-only' };
  return { event: { type: 'InvitationWithdrawn', data: { merchant: merchant.id, invitation: id } } };
}

/** Digests are compared, which nobody can steer: nothing to learn by guessing. */
export function openInvitation(
  { invitations }: Merchant,
  { id, tokenDigest, now }: { readonly id: string; readonly tokenDigest: string; readonly now: Date },
): Invitation | undefined {
  const invitation = invitations.get(id);
  return invitation?.tokenDigest === tokenDigest && invitation.expiresAt > now ? invitation : undefined;
}

/** One who shows the same token again joined before, and is told so: their client may not have heard. */
function accept(
  merchant: Merchant,
  { invitation: id, person, tokenDigest }: Extract<MerchantWish, { wish: 'accept' }>,
  now: Date,
): MerchantDecision {
  const member = merchant.members.get(person);
  if (member !== undefined) {
    return member.invitation === id ? { event: null } : { refused: 'member-already' };
  }
  // Every reason is one answer.
  const invitation = openInvitation(merchant, { id, tokenDigest, now });
  if (invitation === undefined) return { refused: 'invitation-not-open' };
  if (merchant.members.size >= MEMBERS_MAX) return { refused: 'members-too-many' };
  const { role } = invitation;
  return {
    event: { type: 'MemberJoined', data: { merchant: merchant.id, person, role, invitation: id } },
  };
}
