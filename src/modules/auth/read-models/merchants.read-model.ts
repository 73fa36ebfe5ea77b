// control.merchants, control.members and control.invitations: one merchant's stream, a row for each of what it
// tells. Written event by event: to fold
// it, all of its members would be read for each who joins.
import { Column, Entity, type EntityManager, PrimaryColumn } from 'typeorm';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import type { ReadModel } from './read-model.js';

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
    for (const event of events) await applyOne(event as unknown as RecordedEvent & MerchantEvent, manager);
  },
};

async function applyOne(event: RecordedEvent & MerchantEvent, manager: EntityManager): Promise<void> {
  const { recordedAt } = event;
  switch (event.type) {
    case 'MerchantRegistered': {
      await manager.insert(MerchantRow, { ...event.data, createdAt: recordedAt });
      return;
    }
    case 'MerchantRenamed': {
      const { merchant, name } = event.data;
      await manager.update(MerchantRow, { merchant }, { name });
      return;
    }
    case 'MemberJoined': {
      const { merchant, person, role, invitation = null } = event.data;
      const row = { merchant, person, role, invitation, joinedAt: recordedAt };
      await manager.upsert(MemberRow, row, ['merchant', 'person']);
      if (invitation !== null) await manager.delete(InvitationRow, { merchant, invitation });
      return;
    }
    case 'MemberRoleChanged': {
      const { merchant, person, role } = event.data;
      await manager.update(MemberRow, { merchant, person }, { role });
      return;
    }
    case 'MemberLeft': {
      const { merchant, person } = event.data;
      await manager.delete(MemberRow, { merchant, person });
      return;
    }
    case 'InvitationSent': {
      const { merchant, invitation, role, email, expiresAt } = event.data;
      const row = { merchant, invitation, role, email, sentAt: recordedAt, expiresAt: new Date(expiresAt) };
      await manager.upsert(InvitationRow, row, ['merchant', 'invitation']);
      return;
    }
    case 'InvitationWithdrawn': {
      const { merchant, invitation } = event.data;
      await manager.delete(InvitationRow, { merchant, invitation });
    }
  }
}
