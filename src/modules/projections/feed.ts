// One partition of the log going into one version of the read models: the unit of projecting, with a
// checkpoint of its own.
import type { Partition } from '../../tracking-log/tracking-log.js';

export interface Feed {
  readonly partition: Partition;
  readonly version: number;
}
