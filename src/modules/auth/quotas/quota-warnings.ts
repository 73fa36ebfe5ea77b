// Warns a merchant when 80 % of its quota are used, all of it, and its grace, too, and says from when on something is
// hidden or not taken: once each in a month, whichever node notices first, because the stream's revision decides.
import type { EventStore } from '../../../event-store/event-store.js';
import type { QuotaEvent } from '../../../events/quota.events.js';
import { load } from '../aggregate.js';
import { bySystem } from '../origin.js';
import {
  exceedOf,
  type Quota,
  quotaFold,
  quotaStream,
  type QuotaState,
  type Usage,
  warnOf,
} from './quota.aggregate.js';
import type { QuotaDirectory } from './quota.directory.js';

const WARNINGS = bySystem('quota warnings');

export class QuotaWarnings {
  constructor(
    private readonly eventStore: EventStore,
    private readonly quotas: QuotaDirectory,
    private readonly now: () => number = () => Date.now(),
  ) {}

  async warn(usage: Usage): Promise<void> {
    const { merchant } = usage;
    // Mostly there is nothing to say, and nobody to ask for that.
    if (this.#unsaid(this.quotas.stateOf(merchant), this.quotas.of(merchant), usage).length === 0) return;
    const stream = quotaStream(merchant);
    const { state, revision } = await load(this.eventStore, stream, quotaFold);
    const unsaid = this.#unsaid(state, this.quotas.holding(state), usage);
    // Another node may come first; whatever is left to be said, the next flush says.
    const events = unsaid.map((event) => ({ ...event, metadata: WARNINGS }));
    if (events.length > 0) await this.eventStore.append(stream, events, revision);
  }

  #unsaid(state: QuotaState, quota: Quota, usage: Usage): readonly QuotaEvent[] {
    const said = [warnOf(state, quota, usage), exceedOf(state, quota, { ...usage, nowMs: this.now() })];
    return said.filter((event) => event !== null);
  }
}
