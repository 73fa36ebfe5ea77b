// Which version of the read models answers queries: for most installations one for all sites, after a
// rebuild of some sites another for those.
import { Inject, Injectable } from '@nestjs/common';
import { ReadModelsDirectory } from '../lifecycle/read-models.directory.js';

/** Those that queries read. */
export type ServedProjection = 'sessions' | 'traffic';

@Injectable()
export class Serving {
  constructor(
    @Inject(ReadModelsDirectory)
    private readonly directory: Pick<ReadModelsDirectory, 'servingFor' | 'state'>,
  ) {}

  /** Asked once for an answer, so that no answer mixes two. */
  versionFor(site: string): number {
    return this.directory.servingFor(site);
  }

  /** All that answer for some site. */
  get versions(): readonly number[] {
    return this.directory.state.serving;
  }
}
