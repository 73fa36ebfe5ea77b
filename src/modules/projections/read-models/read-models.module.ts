// The read models as every role sees them that serves or feeds them: which versions there are, and
// that the tables of those that are kept exist, whichever process boots first.
import { Module, type OnModuleInit } from '@nestjs/common';
import { Pool } from 'pg';
import { DEFINITIONS } from '../catalog/catalog.js';
import { projectionsOf } from '../definition.js';
import { ReadModelsDirectory } from '../lifecycle/read-models.directory.js';
import { createReadModelTables } from '../read-model-tables.js';
import { Serving } from './serving.js';

@Module({
  providers: [ReadModelsDirectory, Serving],
  exports: [ReadModelsDirectory, Serving],
})
export class ReadModelsModule implements OnModuleInit {
  constructor(
    private readonly pool: Pool,
    private readonly directory: ReadModelsDirectory,
  ) {}

  /** Nest initialises the directory first. */
  async onModuleInit(): Promise<void> {
    const { versions } = this.directory.state;
    const founded = versions.get(this.directory.serving);
    const definition = DEFINITIONS.find(({ number }) => number === founded?.definition);
    if (founded?.rebuild !== null || definition === undefined) return;
    await createReadModelTables(this.pool, projectionsOf(definition, founded.version));
  }
}
