// Warns a merchant when 80 % of its quota are used, all of it, and its grace, too: once each in a month, whichever
// node notices first, because the stream's revision decides.
import type { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { bySystem } from '../origin.js';
import { quotaFold, quotaStream, type Usage, warnOf } from './quota.aggregate.js';
import type { QuotaDirectory } from './quota.directory.js';

const WARNINGS = bySystem('quota warnings');

export class QuotaWarnings {
  constructor(
    private readonly eventStore: EventStore,
    private readonly quotas: QuotaDirectory,
  ) {}

  async warn(usage: Usage): Promise<void> {
    const { merchant } = usage;
    // Mostly there is nothing to say, and nobody to ask for that.
    if (warnOf(this.quotas.stateOf(merchant), this.quotas.of(merchant), usage) === null) return;
    const stream = quotaStream(merchant);
    const { state, revision } = await load(this.eventStore, stream, quotaFold);
    const warning = warnOf(state, this.quotas.holding(state), usage);
    // Another node may come first; whatever is left to be said, the next flush says.
    if (warning !== null)
      await this.eventStore.append(stream, [{ ...warning, metadata: WARNINGS }], revision);
  }
}
