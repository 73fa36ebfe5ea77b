// A file that is made row by row and given away piece by piece.
export interface ExportFile<Row> {
  readonly contentType: string;
  /** Whether another writer can go on behind the pieces of this one. */
  readonly canBeContinued: boolean;
  add(row: Row): void;
  /** What could be taken, about. */
  readonly pendingBytes: number;
  /** What has been finished of the file since the last time. */
  take(): Buffer;
  /** The rest of the file. */
  end(): Buffer;
}
