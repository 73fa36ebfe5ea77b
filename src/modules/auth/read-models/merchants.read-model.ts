// control.merchants, control.members and control.invitations: one merchant's stream, a row for each of what it
// tells. By what each event changes, and not by folding: all members would be read for each who joins.
import { Column, Entity, In, PrimaryColumn } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import type { ReadModel } from './read-model.js';
import { RowChanges } from './row-changes.js';

@Entity({ schema: 'control', name: 'merchants' })
export class MerchantRow {
  @PrimaryColumn('text') merchant!: string;
  @Column('text') name!: string;
  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 }) createdAt!: Date;
}

@Entity({ schema: 'control', name: 'members' })
export class MemberRow {
  @PrimaryColumn('text') merchant!: string;
  @PrimaryColumn('text') person!: string;
  @Column('text') role!: Role;
  @Column({ type: 'timestamptz', name: 'joined_at', precision: 3 }) joinedAt!: Date;
  @Column('text', { nullable: true }) invitation!: string | null;
}

/** Open ones, expired or not. */
@Entity({ schema: 'control', name: 'invitations' })
export class InvitationRow {
  @PrimaryColumn('text') merchant!: string;
  @PrimaryColumn('text') invitation!: string;
  @Column('text') role!: Role;
  /** Sealed, as in the event. */
  @Column('text') email!: string;
  @Column({ type: 'timestamptz', name: 'sent_at', precision: 3 }) sentAt!: Date;
  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 }) expiresAt!: Date;
}

export const merchantsReadModel: ReadModel = {
  entities: [MerchantRow, MemberRow, InvitationRow],
  apply: async (events, manager) => {
    const changes: Changes = {
      merchants: new RowChanges(MerchantRow, ['merchant']),
      members: new RowChanges(MemberRow, ['merchant', 'person']),
      invitations: new RowChanges(InvitationRow, ['merchant', 'invitation']),
    };
    const told = events as unknown as readonly (RecordedEvent & MerchantEvent)[];
    for (const event of told) note(event, changes);
    await changes.merchants.write(manager);
    await changes.members.write(manager);
    await changes.invitations.write(manager);
    // Nothing happens to a merchant after that.
    const deleted = told.filter(({ type }) => type === 'MerchantDeleted').map(({ data }) => data.merchant);
    if (deleted.length === 0) return;
    for (const entity of [MerchantRow, MemberRow, InvitationRow]) {
      await manager.delete(entity, { merchant: In(deleted) });
    }
  },
};

interface Changes {
  readonly merchants: RowChanges<MerchantRow, 'merchant'>;
  readonly members: RowChanges<MemberRow, 'merchant' | 'person'>;
  readonly invitations: RowChanges<InvitationRow, 'merchant' | 'invitation'>;
}

function note(event: RecordedEvent & MerchantEvent, { merchants, members, invitations }: Changes): void {
  const { recordedAt } = event;
  switch (event.type) {
    case 'MerchantRegistered':
      return merchants.put({ ...event.data, createdAt: recordedAt });
    case 'MerchantRenamed': {
      const { merchant, name } = event.data;
      return merchants.patch({ merchant }, { name });
    }
    case 'MemberJoined': {
      const { merchant, person, role, invitation = null } = event.data;
      members.put({ merchant, person, role, invitation, joinedAt: recordedAt });
      if (invitation !== null) invitations.delete({ merchant, invitation });
      return;
    }
    case 'MemberRoleChanged': {
      const { merchant, person, role } = event.data;
      return members.patch({ merchant, person }, { role });
    }
    case 'MemberLeft':
      return members.delete(event.data);
    case 'InvitationSent': {
      const { merchant, invitation, role, email, expiresAt } = event.data;
      const times = { sentAt: recordedAt, expiresAt: new Date(expiresAt) };
      return invitations.put({ merchant, invitation, role, email, ...times });
    }
    case 'InvitationWithdrawn':
      return invitations.delete(event.data);
    // Of that, no rows are left to change: see above.
    case 'MerchantDeleted':
    case 'MerchantErased':
  }
}
