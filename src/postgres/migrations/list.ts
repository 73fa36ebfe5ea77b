// Every migration, run at boot by src/postgres/migrate.ts, each in its own transaction. Add
// yours at the end. The number in a class's name orders them; what has been released is never
// edited or removed, and must leave the tables usable by the release before it.
import type { MigrationInterface } from 'typeorm';
import { EventStore1795219200000 } from './1795219200000-event-store.js';
import { Checkpoints1795219200100 } from './1795219200100-checkpoints.js';
import { Salts1795219200200 } from './1795219200200-salts.js';

export const MIGRATIONS: (new () => MigrationInterface)[] = [
  EventStore1795219200000,
  Checkpoints1795219200100,
  Salts1795219200200,
];
