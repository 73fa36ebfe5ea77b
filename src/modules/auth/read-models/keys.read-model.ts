// control.keys: what a key's stream folds to, for the keys that were not revoked: some have expired.
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type ApiKey, keyFold, type KeyState, keyStream } from '../keys/key.aggregate.js';
import { type FoldedTable, foldRows } from './folded-rows.js';
import type { ReadModel } from './read-model.js';

@Entity({ schema: 'control', name: 'keys' })
export class KeyRow {
  @PrimaryColumn('text') key!: string;
  @Column('text') merchant!: string;
  @Column('text', { nullable: true }) site!: string | null;
  @Column('text') name!: string;
  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 }) createdAt!: Date;
  @Column('jsonb') state!: object;
}

const STREAMS = keyStream('');

/** JSON knows no dates. */
function keyOfRow({ createdAt, state }: KeyRow): ApiKey {
  const key = state as ApiKey;
  return { ...key, createdAt, expiresAt: key.expiresAt === null ? null : new Date(key.expiresAt) };
}

const table: FoldedTable<KeyRow, KeyState> = {
  entity: KeyRow,
  id: 'key',
  fold: keyFold,
  idOf: ({ stream }) => (stream.startsWith(STREAMS) ? stream.slice(STREAMS.length) : undefined),
  stateOf: keyOfRow,
  rowOf: (key) => {
    if (typeof key === 'string') return undefined;
    const { id, merchant, site, name, createdAt } = key;
    return { key: id, merchant, site, name, createdAt, state: key };
  },
};

export const keysReadModel: ReadModel = {
  entities: [KeyRow],
  apply: (events, manager) => foldRows(manager, table, events),
};
