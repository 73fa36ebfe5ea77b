// For the roles that must know which sites were deleted: one directory, whichever of them a process has.
import { Module } from '@nestjs/common';
import { DeletedSites } from './deleted-sites.js';

@Module({ providers: [DeletedSites], exports: [DeletedSites] })
export class DeletedSitesModule {}
