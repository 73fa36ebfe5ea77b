// What LMDB tells of its file, and what follows for the pages that a batch takes.
import type { RootDatabase } from 'lmdb';

/** At the beginning of the file: its two roots. */
const META_PAGES = 2;

interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

export interface EnvironmentStats extends TreeStats {
  readonly entryCount: number;
  readonly pageSize: number;
  /** Of the file as long as it ever was: it does not shrink. */
  readonly lastPageNumber: number;
  readonly lastTxnId: number;
  /** The tree in which LMDB keeps the numbers of the pages that it may write again. */
  readonly free: TreeStats;
}

export function statsOf(db: RootDatabase<Buffer>): EnvironmentStats {
  return db.getStats() as EnvironmentStats;
}

export function pagesInUse(stats: EnvironmentStats): number {
  return META_PAGES + pagesInTree(stats) + pagesInTree(stats.free);
}

/** A value of more than about half a page takes pages of its own, each run with a short header. */
export function pagesFor(bytes: number, pageSize: number): number {
  return Math.ceil((bytes + 16) / pageSize) + 1;
}

function pagesInTree({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeStats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}
