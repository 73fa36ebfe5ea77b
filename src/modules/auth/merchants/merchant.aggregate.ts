// A merchant, the owner of sites, with its members and open invitations: what its stream folds to. What
// people may do to it is decided in merchant.decisions.ts. Pure.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import type { Fold } from '../aggregate.js';

/** Owns what the operator creates; registered at first boot. */
export const OPERATORS_MERCHANT = 'default';

export interface Member {
  readonly person: string;
  readonly role: Role;
  readonly joinedAt: Date;
  /** By which they joined; undefined: they registered the merchant. */
  readonly invitation: string | undefined;
}

/** One that was neither used nor withdrawn; it may have expired. */
export interface Invitation {
  readonly id: string;
  readonly role: Role;
  readonly email: string;
  readonly addressDigest: string;
  readonly tokenDigest: string;
  readonly sentAt: Date;
  readonly expiresAt: Date;
}

export interface Merchant {
  readonly id: string;
  readonly name: string;
  readonly members: ReadonlyMap<string, Member>;
  readonly invitations: ReadonlyMap<string, Invitation>;
  readonly createdAt: Date;
  readonly revision: number;
}

/** What is left of a merchant: by whom it was deleted, who may go on asking how far that is. */
export interface DeletedMerchant {
  readonly id: string;
  readonly deletedAt: Date;
  readonly deletedBy: string;
}

export type MerchantState = Merchant | DeletedMerchant | 'absent';

/** Undefined: there is none, or none any more. */
export const presentMerchant = (state: MerchantState): Merchant | undefined =>
  state === 'absent' || isDeleted(state) ? undefined : state;

export const isDeleted = (state: Merchant | DeletedMerchant): state is DeletedMerchant =>
  'deletedAt' in state;

export const merchantStream = (id: string): string => `merchant-${id}`;

export const merchantFold: Fold<MerchantState> = {
  initial: 'absent',
  evolve: (state, recorded) => {
    const event = recorded as unknown as RecordedEvent & MerchantEvent;
    if (event.type === 'MerchantRegistered') {
      const { merchant: id, name } = event.data;
      const { recordedAt: createdAt, revision } = event;
      return { id, name, members: new Map(), invitations: new Map(), createdAt, revision };
    }
    if (state === 'absent') return state;
    if (isDeleted(state)) return state;
    if (event.type === 'MerchantDeleted') {
      const deletedBy = String(event.metadata?.['by']);
      return { id: state.id, deletedAt: event.recordedAt, deletedBy };
    }
    return { ...state, ...changed(state, event), revision: event.revision };
  },
};

function changed(state: Merchant, event: RecordedEvent & MerchantEvent): Partial<Merchant> {
  const { recordedAt } = event;
  switch (event.type) {
    case 'MerchantRenamed':
      return { name: event.data.name };
    case 'MemberJoined': {
      const { person, role, invitation } = event.data;
      const members = put(state.members, person, { person, role, joinedAt: recordedAt, invitation });
      const { invitations } = state;
      return { members, ...(invitation !== undefined && { invitations: without(invitations, invitation) }) };
    }
    case 'MemberRoleChanged': {
      const { person, role } = event.data;
      const member = state.members.get(person);
      return member ? { members: put(state.members, person, { ...member, role }) } : {};
    }
    case 'MemberLeft':
      return { members: without(state.members, event.data.person) };
    case 'InvitationSent': {
      const { merchant: _, invitation: id, expiresAt, ...draft } = event.data;
      const sent = { id, ...draft, sentAt: recordedAt, expiresAt: new Date(expiresAt) };
      return { invitations: put(state.invitations, id, sent) };
    }
    case 'InvitationWithdrawn':
      return { invitations: without(state.invitations, event.data.invitation) };
    default:
      return {};
  }
}

const put = <Value>(map: ReadonlyMap<string, Value>, key: string, value: Value) =>
  new Map(map).set(key, value);

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

export const registerMerchant = (merchant: string, name: string): MerchantEvent => ({
  type: 'MerchantRegistered',
  data: { merchant, name },
});
