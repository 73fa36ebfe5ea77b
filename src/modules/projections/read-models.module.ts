// Makes sure that the tables of the catalog exist before anything folds into them or asks them.
// Imported by the projector and by the api, whichever boots first.
import { Module, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { CATALOG } from './catalog/catalog.js';
import { createReadModelTables } from './read-model-tables.js';

@Module({})
export class ReadModelsModule implements OnModuleInit {
  constructor(private readonly pool: Pool) {}

  async onModuleInit(): Promise<void> {
    await createReadModelTables(this.pool, CATALOG);
  }
}
